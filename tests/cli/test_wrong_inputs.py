"""What users get wrong: one clear line on stderr, the right exit status, no traceback, nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from bmz_process import ForkedBmz


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where an output would be."""
    return tmp_path / "out.zarr"


class TestSources:
    """Models that are not there, or are no models."""

    def test_no_such_model(self, bmz: ForkedBmz, tmp_path: Path, image: Path, out: Path) -> None:
        """Neither file nor folder."""
        for command in (["info"], ["predict", "-o", out], ["plan"], ["test"], ["verify"]):
            name, *more = command
            images = [image] if name in ("predict", "plan") else []
            assert bmz(name, tmp_path / "nope", *images, *more).error(2) == f"bmz: no such file or folder: {tmp_path / 'nope'}"

    def test_misspelt_folder(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """The name that was probably meant; a folder that exists around it makes it a path, so no collection is asked."""
        wrong = model.parent / f"{model.name}s"
        assert bmz("predict", wrong, image, "-o", out).error(2) == f"bmz: did you mean {model}? no such file or folder: {wrong}"
        elsewhere = model.parent.parent / f"{model.parent.name}s" / model.name
        line = bmz("predict", elsewhere, image, "-o", out).error(2)
        assert line == f"bmz: did you mean {model}? no such file or folder: {elsewhere}"

    def test_misspelt_image(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """The image that was probably meant comes first; nothing is to be installed, although a plugin reads such names."""
        wrong = image.with_name(f"{image.name[:1]}{image.name}")
        assert bmz("predict", model, wrong, "-o", out).error(2).startswith(f"bmz: did you mean {image}? {wrong} does not exist")
        assert "install" not in bmz("predict", model, image.with_name("cells.czi"), "-o", out).error(2)

    def test_pattern_without_matches(self, bmz: ForkedBmz, model: Path, tmp_path: Path) -> None:
        """The pattern, the folder, what is there, and a pattern that matches; or the folder that was meant."""
        folder = tmp_path / "cells"
        (folder / "more").mkdir(parents=True)
        for name in ("a.npy", "b.NPY", "notes.txt"):
            (folder / name).write_bytes(b"")
        pattern = folder / "*.tif"
        expected = f"the pattern '{pattern}' matches nothing: in the folder {folder} there are 2 .npy, 1 .txt and 1 folders; "
        for command in (["predict", model, pattern, "-o", tmp_path / "{name}.zarr"], ["plan", model, pattern], ["stats", pattern]):
            assert bmz(*command).error(2) == f"bmz: {expected}give one that matches, as in '{folder / '*.npy'}'"
        assert "matches 2 images: expected one" in bmz("plan", model, folder / "[ab].*").error(2)
        line = bmz("stats", tmp_path / "cell" / "*.npy").error(2)
        assert line.startswith(f"bmz: did you mean {folder}? the pattern '{tmp_path / 'cell' / '*.npy'}' matches nothing")

    def test_model_and_image_swapped(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """The image is named as what it is, with the order."""
        line = bmz("predict", image, model, "-o", out).error(2)
        assert f"{image} is an image: expected a model" in line
        assert "the model comes before the image" in line

    def test_weights_in_place_of_a_model(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """With the command that makes a model of them."""
        weights = next(model.glob("*.onnx"))
        assert f"'bmz init {weights}'" in bmz("predict", weights, image, "-o", out).error(2)

    def test_misspelt_command(self, bmz: ForkedBmz) -> None:
        """The one that was probably meant."""
        assert "no command 'predct': did you mean 'bmz predict'?" in bmz("predct").error(2)

    def test_memory_without_a_unit(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """Two bytes are not two gigabytes."""
        assert "as in '2 GB'" in bmz("predict", model, image, "-o", out, "--memory", "2").error(2)

    def test_folder_without_description(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """The folder and the names that are looked for."""
        line = bmz("info", tmp_path).error(2)
        assert str(tmp_path) in line
        assert "rdf.yaml, bioimageio.yaml" in line

    def test_invalid_description(self, bmz: ForkedBmz, model: Path, change: Any, image: Path, out: Path) -> None:
        """The path in the document, expected and found, and how many problems more."""
        change(model, lambda tree: tree["inputs"][0]["axes"][2].update(size=-3))
        for args in (["info"], ["test"], ["predict", image, "-o", out]):
            line = bmz(args[0], model, *args[1:]).error(1)
            assert "inputs.0.axes.2" in line
            assert "found -3" in line
        assert not out.exists()

    def test_not_a_model(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """A description of something else."""
        (tmp_path / "rdf.yaml").write_text("type: dataset\nformat_version: 0.3.0\nname: data\n")
        assert "describes a resource of type 'dataset': expected a model" in bmz("test", tmp_path).error(1)

    def test_not_yaml(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """The place of the mistake."""
        (tmp_path / "rdf.yaml").write_text("type: model\nname: [unclosed\nweights: {}\n")
        line = bmz("info", tmp_path).error(1)
        assert str(tmp_path / "rdf.yaml") in line
        assert "line" in line

    @pytest.mark.parametrize("content", [b"", b"just text", b"- a\n- list\n"])
    def test_yaml_of_something_else(self, bmz: ForkedBmz, tmp_path: Path, content: bytes) -> None:
        """No mapping."""
        (tmp_path / "rdf.yaml").write_bytes(content)
        assert "expected a mapping" in bmz("info", tmp_path).error(1)

    @pytest.mark.parametrize("content", [bytes(range(128, 256)), b"\x00\x01\x02\xff", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"])
    def test_binary_file(self, bmz: ForkedBmz, tmp_path: Path, content: bytes) -> None:
        """A file that is neither text nor a zip."""
        path = tmp_path / "weights.pt"
        path.write_bytes(content)
        ran = bmz("info", path)
        assert str(path) in ran.error(ran.status)
        assert ran.status in (1, 2)

    def test_unknown_protocol(self, bmz: ForkedBmz) -> None:
        """A URL that nothing opens."""
        assert "nosuch://host/model.zip" in bmz("info", "nosuch://host/model.zip").error(2)


class TestImages:
    """Images that are not there, or do not fit."""

    def test_no_such_image(self, bmz: ForkedBmz, made: Path, tmp_path: Path, out: Path) -> None:
        """The path."""
        missing = tmp_path / "nope.tif"
        assert str(missing) in bmz("predict", made, missing, "-o", out).error(2)
        assert not out.exists()

    def test_not_an_image(self, bmz: ForkedBmz, made: Path, tmp_path: Path, out: Path) -> None:
        """A .npy and a .tif of other content, and an unknown extension."""
        for name in ("text.npy", "text.tif", "text.doc", "folder"):
            path = tmp_path / name
            if name == "folder":
                path.mkdir()
            else:
                path.write_text("not an image")
            assert str(path) in bmz("predict", made, path, "-o", out).error(2)

    @pytest.mark.parametrize("option", ["--block", "--halo", "--chunks", "--network-stride"])
    def test_no_such_axis_in_an_option(self, bmz: ForkedBmz, made: Path, image: Path, out: Path, option: str) -> None:
        """The option, the axis, and the axes that there are."""
        line = bmz("predict", made, image, "-o", out, option, "q=64").error(2)
        assert "'q'" in line
        assert option.lstrip("-").replace("-", "_") in line.replace("-", "_")
        assert "y" in line
        assert not out.exists()

    @pytest.mark.parametrize("text", ["y", "y=", "y=a", "=3", "y=1.5"])
    def test_malformed_sizes(self, bmz: ForkedBmz, made: Path, image: Path, out: Path, text: str) -> None:
        """How sizes are written."""
        assert "expected AXIS=PIXELS" in bmz("predict", made, image, "-o", out, "--block", text).error(2)

    def test_unknown_axis_letter(self, bmz: ForkedBmz, made: Path, image: Path, out: Path) -> None:
        """The letter, and those that are known."""
        line = bmz("predict", made, image, "-o", out, "--axes", "yq").error(2)
        assert "'q'" in line
        assert "x" in line

    def test_wrong_number_of_axes(self, bmz: ForkedBmz, made: Path, image: Path, out: Path) -> None:
        """Shape and axes."""
        line = bmz("predict", made, image, "-o", out, "--axes", "zyx").error(2)
        assert "(40, 50)" in line
        assert "'zyx'" in line

    def test_axes_that_cannot_be_guessed(self, bmz: ForkedBmz, made: Path, tmp_path: Path, out: Path) -> None:
        """The shape, the axes of the input, and an example."""
        np.save(tmp_path / "five.npy", np.zeros((2, 3, 4, 20, 20), np.float32))
        line = bmz("predict", made, tmp_path / "five.npy", "-o", out).error(2)
        assert "--axes" in line
        assert "(2, 3, 4, 20, 20)" in line

    def test_wrong_number_of_channels(
        self, bmz: ForkedBmz, two_channels: Path, made: Path, tmp_path: Path, save_image: Any, out: Path
    ) -> None:
        """The channels of the image and of the model, and the option."""
        three = save_image(tmp_path / "three.zarr", np.zeros((3, 20, 20), np.uint8), "cyx")
        line = bmz("predict", two_channels, three, "-o", out).error(2)
        assert "3 channels" in line
        assert "dapi, actin" in line
        assert "--channel" in line
        line = bmz("predict", made, three, "-o", out).error(2)
        assert "intensity" in line

    @pytest.mark.parametrize("channel", ["7", "gfp"])
    def test_no_such_channel(self, bmz: ForkedBmz, made: Path, tmp_path: Path, save_image: Any, out: Path, channel: str) -> None:
        """What was asked for, and what there is."""
        three = save_image(tmp_path / "three.zarr", np.zeros((3, 20, 20), np.float32), "cyx")
        line = bmz("predict", made, three, "-o", out, "--channel", channel).error(2)
        assert channel in line
        assert "3 channels" in line

    def test_channel_of_an_image_without(self, bmz: ForkedBmz, made: Path, image: Path, out: Path) -> None:
        """There is no channel axis."""
        assert "no channel axis" in bmz("predict", made, image, "-o", out, "--channel", "0").error(2)

    def test_float_image_into_uint8(self, bmz: ForkedBmz, two_channels: Path, tmp_path: Path, save_image: Any, out: Path) -> None:
        """Both dtypes, and that values would be lost."""
        path = save_image(tmp_path / "float.zarr", np.zeros((2, 20, 20), np.float32), "cyx")
        line = bmz("predict", two_channels, path, "-o", out).error(2)
        assert "float32" in line
        assert "uint8" in line

    def test_complex_image(self, bmz: ForkedBmz, made: Path, tmp_path: Path, out: Path) -> None:
        """The dtype."""
        np.save(tmp_path / "complex.npy", np.zeros((20, 20), np.complex64))
        assert "complex64" in bmz("predict", made, tmp_path / "complex.npy", "-o", out).error(2)

    def test_pickled_array(self, bmz: ForkedBmz, made: Path, tmp_path: Path, out: Path) -> None:
        """Objects are refused, not unpickled."""
        np.save(tmp_path / "objects.npy", np.array([{}, None], object), allow_pickle=True)
        assert "objects.npy" in bmz("predict", made, tmp_path / "objects.npy", "-o", out).error(2)

    def test_empty_image(self, bmz: ForkedBmz, made: Path, tmp_path: Path, out: Path) -> None:
        """An axis of size 0."""
        np.save(tmp_path / "empty.npy", np.zeros((0, 20), np.float32))
        assert "empty is empty (shape (0, 20))" in bmz("predict", made, tmp_path / "empty.npy", "-o", out, "--axes", "yx").error(2)

    def test_several_inputs(self, bmz: ForkedBmz, shared: Path, made: Path, image: Path, out: Path) -> None:
        """Unknown ids, and paths without an id."""
        assert "unknown: mask" in bmz("predict", made, f"raw={image}", f"mask={image}", "-o", out).error(2)
        model = shared / "models" / "unet2d_multi_tensor_v0_4"
        assert "ID=PATH for each of input0, input1" in bmz("predict", model, image, made, "-o", out).error(2)

    def test_missing_input(self, bmz: ForkedBmz, shared: Path, image: Path, out: Path) -> None:
        """The input that is missing."""
        model = shared / "models" / "unet2d_multi_tensor_v0_4"
        assert "missing: input1" in bmz("plan", model, f"input0={image}").error(2)
        assert "input0, input1" in bmz("plan", model, image).error(2)
        assert "nope.zarr" in bmz("plan", model, f"input0={image}", "input1=nope.zarr").error(2)


class TestGuessedAxes:
    """An array that does not say its axes."""

    @pytest.fixture
    def plain(self, tmp_path: Path) -> Path:
        """40 x 50 pixels."""
        np.save(tmp_path / "plain.npy", np.zeros((40, 50), np.float32))
        return tmp_path / "plain.npy"

    def test_printed(self, bmz: ForkedBmz, made: Path, plain: Path, out: Path) -> None:
        """People are told."""
        ran = bmz("predict", made, plain, "-o", out)
        assert ran.status == 0
        assert "axes of plain guessed: y,x" in ran.err
        assert "guessed: y,x" in bmz("plan", made, plain).out

    def test_contradiction_printed(self, bmz: ForkedBmz, made: Path, tmp_path: Path, out: Path) -> None:
        """Given axes that differ from those of the file are used, with a line."""
        zarr.create_array(str(tmp_path / "named.zarr"), data=np.zeros((3, 40, 50), "f4"), dimension_names=("t", "y", "x"))
        assert (
            "warning: named names its axes time,y,x, which z,y,x contradicts"
            in bmz("predict", made, tmp_path / "named.zarr", "-o", out, "--axes", "zyx").err
        )

    def test_axes_without_meaning(self, bmz: ForkedBmz, made: Path, tmp_path: Path, out: Path) -> None:
        """Names that are not understood are an error with the option, and the option helps."""
        zarr.create_array(str(tmp_path / "odd.zarr"), data=np.zeros((40, 50), "f4"), dimension_names=("u", "v"))
        line = bmz("predict", made, tmp_path / "odd.zarr", "-o", out).error(2)
        assert "odd has the axes u, v" in line
        assert "with --axes, as in 'yx'" in line
        assert not out.exists()
        assert bmz("predict", made, tmp_path / "odd.zarr", "-o", out, "--axes", "yx").status == 0

    def test_error_under_json(self, bmz: ForkedBmz, made: Path, plain: Path, out: Path) -> None:
        """Machines do not read that."""
        assert "--axes" in bmz("predict", made, plain, "-o", out, "--json").error(2)
        assert "--axes" in bmz("plan", made, plain, "--json").error(2)
        assert not out.exists()

    def test_given(self, bmz: ForkedBmz, made: Path, plain: Path) -> None:
        """The remedy works."""
        assert bmz("plan", made, plain, "--json", "--axes", "yx").json["inputs"]["raw"]["axes_guessed"] is False


class TestOptions:
    """Options that make no sense."""

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (["--memory", "lots"], "'lots'"),
            (["--memory", "-1"], "'-1'"),
            (["--device", "tpu"], "'tpu'"),
            (["--weights-format", "caffe"], "'caffe'"),
            (["--stats-over", "t"], "'time'"),
            (["--workers", "0"], "--workers"),
            (["--batch-size", "none"], "--batch-size"),
            (["--halo", "y=-1"], "-1"),
            (["--block", "y=0"], "0"),
            (["--block", "y=2"], "'y'"),
            (["--level", "3"], "level"),
            (["--pixel-size", "y=nan"], "--pixel-size is"),
            (["--pixel-size", "y=0"], "--pixel-size is"),
            (["--pixel-size", "y=1 parrot"], "y=0.5um"),
            (["--no-such-option"], "--no-such-option"),
            (
                ["--post", "scale_linear:gain"],
                "in place of 'gain'; its arguments are gain=1.0, offset=0.0, as in --post 'scale_linear",
            ),
            (["--post", "scale_linear:gian=2"], "gian: unknown key, did you mean 'gain'? its arguments are gain=1.0, offset=0.0, as in"),
            (["--post", "scale_linear:gain=much"], "expected a number, found 'much'; its arguments are gain=1.0, offset=0.0"),
            (["--post", "fixed_zero_mean_unit_variance"], "expected arguments; its arguments are mean (required), std (required), as in"),
            (["--post", "sigmoid:gain=2"], "'sigmoid': expected no arguments; it takes no arguments, as in 'sigmoid'"),
            (["--post", "sigmod"], "did you mean 'sigmoid'?"),
        ],
    )
    def test_refused(self, bmz: ForkedBmz, made: Path, image: Path, out: Path, args: list[str], said: str) -> None:
        """The value that was given."""
        assert said in bmz("predict", made, image, "-o", out, *args).error(2)
        assert not out.exists()

    def test_missing_arguments(self, bmz: ForkedBmz, made: Path, image: Path) -> None:
        """What is missing, and where help is."""
        assert "'MODEL'" in bmz("predict").error(2)
        assert "say with -o" in bmz("predict", made, image).error(2)
        assert "bmz predict --help" in bmz("predict").error(2)

    def test_unknown_command(self, bmz: ForkedBmz) -> None:
        """The command."""
        assert "'frobnicate'" in bmz("frobnicate").error(2)
