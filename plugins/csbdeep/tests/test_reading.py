"""Exports as descriptions: what they say, what a user says, and what is told where they are broken."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from bioimageio_runtime_csbdeep import bioimageio_foreign_formats
from bioimageio_runtime_csbdeep.care import Care
from bioimageio_runtime_csbdeep.stardist import StarDist
from made_graphs import conv, kernel, saved_model, write_zip

import bioimageio_core as bc
from bioimageio_core.errors import InputError
from bioimageio_core.testing import ForeignFormatConformance

FORMATS = {entry.name: entry for entry in bioimageio_foreign_formats()}

META = {"type": "CARE", "version": "0.8.2", "probabilistic": False, "axes": "YXC", "axes_div_by": [4, 8, 1], "tile_overlap": [22, 9, 0]}


def care_zip(path: Path, channels: tuple[int, int] = (1, 1), rank: int = 4, **meta: Any) -> Path:
    """Write an export whose network is one convolution."""
    shapes = [(*(-1 for _ in range(rank - 1)), n) for n in channels]
    graph = {"input": ("Placeholder", [], {}), "out": ("Relu", ["input"], {})}
    said = {key: value for key, value in {**META, **meta}.items() if value is not None}
    return write_zip(path, {"saved_model.pb": saved_model(graph, shapes[0], {"out": shapes[1]}), "meta.json": json.dumps(said)})


def stardist_zip(path: Path, rays: int = 8, **more: Any) -> Path:
    """Write an export whose network is two convolutions."""
    variable = ("VarHandleOp", [], {"shape": kernel(3, 3, 1, 1)})
    graph = {"input": ("Placeholder", [], {}), "prob/kernel": variable, "dist/kernel": variable}
    graph |= {"first": conv("input", "prob/kernel"), "out": conv("first", "dist/kernel")}
    shape = (-1, -1, -1, 1 + rays)
    return write_zip(path, {"saved_model.pb": saved_model(graph, (-1, -1, -1, 1), {"out": shape}, **more)})


def sizes(tree: Mapping[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Return the least size, the step and the halo by axis."""
    halos = {axis["id"]: axis.get("halo", 0) for axis in tree["outputs"][0]["axes"] if "id" in axis}
    described = {axis["id"]: axis["size"] for axis in tree["inputs"][0]["axes"] if "id" in axis}
    return {axis: (size["min"], size["step"], halos[axis]) for axis, size in described.items()}


def channels(tensor: Mapping[str, Any]) -> list[str]:
    """Return names of channels."""
    return next(axis["channel_names"] for axis in tensor["axes"] if axis["type"] == "channel")


class TestCsbdeepConformance(ForeignFormatConformance):
    """What every format keeps."""

    entry = FORMATS["csbdeep"]

    @pytest.fixture
    def files(self, exports: Path, tmp_path: Path) -> Sequence[Path]:
        """Exports, and the folder of a model with one."""
        folder = tmp_path / "denoising_model"
        shutil.copytree(exports / "care_plain", folder)
        folder.chmod(0o755)
        shutil.copy(exports / "care_plain.zip", folder / "TF_SavedModel.zip")
        return [exports / "care_plain.zip", exports / "care_prob.zip", folder]

    @pytest.fixture
    def other_files(self, exports: Path) -> Sequence[Path]:
        """StarDist's."""
        return [exports / "sd2d.zip", exports / "sd2d"]

    def test_writes(self, exports: Path, tmp_path: Path) -> None:
        """Zips alone are written."""
        super().test_writes([exports / "care_plain.zip", exports / "care_prob.zip"], tmp_path)


class TestStarDistConformance(ForeignFormatConformance):
    """The same."""

    entry = FORMATS["stardist"]

    @pytest.fixture
    def files(self, exports: Path, trained: Path) -> Sequence[Path]:
        """An export, and the folder of a model with one."""
        return [exports / "sd2d.zip", trained]

    @pytest.fixture
    def other_files(self, exports: Path) -> Sequence[Path]:
        """CSBDeep's."""
        return [exports / "care_plain.zip", exports / "care_plain"]

    def test_writes(self, exports: Path, tmp_path: Path) -> None:
        """Zips alone are written."""
        super().test_writes([exports / "sd2d.zip"], tmp_path)


class TestCare:
    """Exports of CSBDeep."""

    def test_plain(self, exports: Path, tmp_path: Path) -> None:
        """Sizes, halo and channels as ``meta.json`` and the network have them."""
        tree = Care().read(exports / "care_plain.zip", tmp_path)
        assert sizes(tree) == {"y": (48, 4, 22), "x": (48, 4, 22)}
        assert [axis["type"] for axis in tree["inputs"][0]["axes"]] == ["batch", "space", "space", "channel"]
        assert (channels(tree["inputs"][0]), channels(tree["outputs"][0])) == (["intensity"], ["restored"])
        assert tree["weights"] == {"tensorflow_saved_model_bundle": {"source": "weights.zip", "tensorflow_version": "2.15.1"}}
        assert tree["config"]["csbdeep"]["version"] == "0.8.2"

    def test_probabilistic(self, exports: Path, tmp_path: Path) -> None:
        """A mean and a scale; of several channels the means come first."""
        assert channels(Care().read(exports / "care_prob.zip", tmp_path)["outputs"][0]) == ["mean", "scale"]
        tree = Care().read(care_zip(tmp_path / "two.zip", (3, 4), probabilistic=True), tmp_path)
        assert channels(tree["outputs"][0]) == ["mean0", "mean1", "scale0", "scale1"]
        assert channels(tree["inputs"][0]) == ["channel0", "channel1", "channel2"]

    def test_axes(self, tmp_path: Path) -> None:
        """Each has its own step and overlap; the least size is what is more than both halos."""
        assert sizes(Care().read(care_zip(tmp_path / "plain.zip"), tmp_path)) == {"y": (48, 4, 22), "x": (24, 8, 9)}
        file = care_zip(tmp_path / "volume.zip", rank=5, axes="ZYXC", axes_div_by=[1, 4, 4, 1], tile_overlap=[0, 2, 2, 0])
        assert sizes(Care().read(file, tmp_path)) == {"z": (1, 1, 0), "y": (8, 4, 2), "x": (8, 4, 2)}

    def test_normalisation(self, exports: Path, tmp_path: Path) -> None:
        """As ``CARE.predict`` does if nothing is said, which the description says; otherwise as is said."""
        read, file = Care().read, exports / "care_plain.zip"
        step = {"axes": ["y", "x"], "min_percentile": 2.0, "max_percentile": 99.8, "eps": 1e-20}
        assert read(file, tmp_path)["inputs"][0]["preprocessing"] == [{"id": "scale_range", "kwargs": step}]
        assert "Percentiles 2 and 99.8 of each channel become 0 and 1" in read(file, tmp_path)["description"]
        (other,) = read(file, tmp_path, percentiles=[0.5, 100], per_channel=False)["inputs"][0]["preprocessing"]
        assert other["kwargs"] == {**step, "axes": ["y", "x", "channel"], "min_percentile": 0.5, "max_percentile": 100.0}
        assert read(file, tmp_path, percentiles=None)["inputs"][0]["preprocessing"] == []

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"percentiles": [99, 1]}, "0 <= low < high <= 100, found 99 and 1"),
            ({"percentiles": 3}, "two numbers"),
            ({"percentiles": "1,99.8"}, "two numbers"),
            ({"percentiles": [1, True]}, "two numbers"),
            ({"per_channel": "no"}, "expected true or false"),
        ],
    )
    def test_wrong_options(self, exports: Path, tmp_path: Path, options: dict[str, Any], words: str) -> None:
        """What is wrong is said."""
        with pytest.raises(ValueError, match=words):
            Care().read(exports / "care_plain.zip", tmp_path, **options)

    @pytest.mark.parametrize(
        ("meta", "words"),
        [
            ({"axes": "YXS"}, "axes of meta.json"),
            ({"axes": "YYC"}, "axes of meta.json"),
            ({"axes": None}, "axes of meta.json"),
            ({"axes": "ZYXC"}, "axes_div_by of meta.json: expected 4 integers"),
            ({"axes_div_by": [0, 4, 1]}, "axes_div_by of meta.json: expected 3 integers of at least 1"),
            ({"tile_overlap": [1.5, 4, 1]}, "tile_overlap of meta.json"),
            ({"probabilistic": "yes"}, "probabilistic of meta.json"),
            ({"probabilistic": True}, "as many means as scales"),
            ({"type": "ProjectionCARE"}, "ProjectionCARE, whose output is a maximum along an axis"),
        ],
    )
    def test_wrong_meta(self, tmp_path: Path, meta: dict[str, Any], words: str) -> None:
        """One sentence for each."""
        with pytest.raises(ValueError, match=words):
            Care().read(care_zip(tmp_path / "wrong.zip", **meta), tmp_path)


class TestStarDist:
    """Exports of StarDist."""

    def test_export(self, exports: Path, tmp_path: Path) -> None:
        """A probability and rays; sizes and halo as the graph has them: two levels of pooling on a grid of two."""
        tree = StarDist().read(exports / "sd2d.zip", tmp_path)
        assert sizes(tree) == {"y": (104, 8, 51), "x": (104, 8, 51)}
        assert channels(tree["outputs"][0]) == ["probability", *(f"ray{n}" for n in range(16))]
        assert tree["inputs"][0]["preprocessing"][0]["kwargs"]["min_percentile"] == 1.0
        assert tree["name"] == "sd2d (StarDist)"

    @pytest.mark.parametrize("zipped", [False, True])
    def test_folder_of_a_model(self, trained: Path, tmp_path: Path, zipped: bool) -> None:
        """With its grid and thresholds; its export is what runs."""
        path = Path(shutil.make_archive(str(tmp_path / "nuclei_model"), "zip", trained)) if zipped else trained
        assert StarDist().sniff(path)
        tree = StarDist().read(path, tmp_path)
        assert tree["name"] == "nuclei_model"
        assert tree["config"]["stardist"]["thresholds"] == {"prob": 0.5, "nms": 0.3}
        assert tree["config"]["stardist"]["grid"] == [2, 2]

    def test_folder_without_export(self, exports: Path, tmp_path: Path) -> None:
        """Parameters alone are no network: what to call is said."""
        with pytest.raises(ValueError, match=r"weights_best\.h5\) without the network.*call export_TF\(\) on the model \(StarDist2D\)"):
            StarDist().read(exports / "sd2d", tmp_path)
        with pytest.raises(ValueError, match=r"call export_TF\(\) on the model \(CARE\)"):
            Care().read(exports / "care_plain", tmp_path)

    def test_folder_with_several_exports(self, trained: Path, tmp_path: Path) -> None:
        """They are named."""
        shutil.copy(trained / "TF_SavedModel.zip", trained / "other.zip")
        with pytest.raises(ValueError, match=r"several exports \(TF_SavedModel\.zip, other\.zip\)"):
            StarDist().read(trained, tmp_path)

    def test_sizes_that_are_said(self, tmp_path: Path) -> None:
        """They go before what the graph says; a graph that nobody understands needs both."""
        file = stardist_zip(tmp_path / "small.zip")
        assert sizes(StarDist().read(file, tmp_path)) == {"y": (5, 1, 2), "x": (5, 1, 2)}
        assert sizes(StarDist().read(file, tmp_path, div_by=16, overlap=[20, 30])) == {"y": (48, 16, 20), "x": (64, 16, 30)}
        with pytest.raises(ValueError, match="div_by: expected 2 integers of at least 1, found 0"):
            StarDist().read(file, tmp_path, div_by=0)
        graph = {"input": ("Placeholder", [], {}), "prob/kernel": ("Abs", ["input"], {}), "dist/kernel": ("Lrn", ["prob/kernel"], {})}
        strange = write_zip(
            tmp_path / "strange.zip", {"saved_model.pb": saved_model(graph, (-1, -1, -1, 1), {"dist/kernel": (-1, -1, -1, 9)})}
        )
        with pytest.raises(ValueError, match=r"operation Abs, .*--option div_by=\[16, 16\].*overlap=\[96, 96\]"):
            StarDist().read(strange, tmp_path)
        assert sizes(StarDist().read(strange, tmp_path, div_by=4, overlap=1)) == {"y": (4, 4, 1), "x": (4, 4, 1)}

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"rays": 2}, "gives 2 rays: expected at least 3"),
            ({"kind": 2}, "not of float32"),
            ({"signature": "other"}, "no signature 'serving_default'"),
            ({"tag": "train"}, "in a graph with the tag 'serve'"),
        ],
    )
    def test_wrong_networks(self, tmp_path: Path, more: dict[str, Any], words: str) -> None:
        """One sentence for each."""
        with pytest.raises(ValueError, match=words):
            StarDist().read(stardist_zip(tmp_path / "wrong.zip", **more), tmp_path)


class TestDetection:
    """Which system a file is of, through the library."""

    @pytest.mark.parametrize(("name", "system"), [("care_plain.zip", "csbdeep"), ("care_prob.zip", "csbdeep"), ("sd2d.zip", "stardist")])
    def test_exports(self, exports: Path, tmp_path: Path, name: str, system: str) -> None:
        """By what is in them, not by the name."""
        copy = shutil.copy(exports / name, tmp_path / "model.zip")
        assert bc.import_model(copy, tmp_path / "out").format == system

    def test_wrapped(self, exports: Path, tmp_path: Path) -> None:
        """A zip whose content lies in a folder."""
        with zipfile.ZipFile(exports / "care_plain.zip") as source, zipfile.ZipFile(tmp_path / "wrapped.zip", "w") as target:
            for name in source.namelist():
                target.writestr(f"model/{name}", source.read(name))
        assert bc.import_model(tmp_path / "wrapped.zip", tmp_path / "out").format == "csbdeep"

    def test_strangers(self, exports: Path, tmp_path: Path) -> None:
        """Files of other systems, SavedModels of others among them, are left to whom they belong to."""
        saved = stardist_zip(tmp_path / "own.zip")
        graph = zipfile.ZipFile(saved).read("saved_model.pb")
        others = [
            write_zip(tmp_path / f"{n}.zip", {"saved_model.pb": graph, n: "x"}) for n in ("config.xml", "rdf.yaml", "bioimageio.yaml")
        ]
        others += [write_zip(tmp_path / "network.zip", {"saved_model.pb": graph.replace(b"dist/kernel", b"xxxx/kernel")})]
        others += [write_zip(tmp_path / "n2v.zip", {"config.json": '{"unet_n_depth": 2, "probabilistic": false, "n2v_perc_pix": 1}'})]
        others += [p for folder in ("czmodel", "deepimagej_xml", "keras", "tfjs") for p in (exports.parent / folder).iterdir()]
        for path in others:
            assert not any(entry.load().sniff(path) for entry in FORMATS.values()), path

    @pytest.mark.parametrize("content", ['{"n_rays"', "[" * 100_000, "[1]", '"n_rays"'])
    def test_broken_json(self, tmp_path: Path, content: str) -> None:
        """It is of neither system."""
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "config.json").write_text(content)
        assert not any(entry.load().sniff(tmp_path / "model") for entry in FORMATS.values())


class TestHostile:
    """Zips that are made to harm: refused in one sentence, and nothing is written."""

    @pytest.mark.parametrize(
        ("name", "words"), [("../outside", "unpacked outside of its folder"), ("/outside", "unpacked outside of its folder")]
    )
    def test_paths(self, exports: Path, tmp_path: Path, name: str, words: str) -> None:
        """None leads out of the folder."""
        shutil.copy(exports / "care_plain.zip", tmp_path / "evil.zip")
        (tmp_path / "evil.zip").chmod(0o644)
        with zipfile.ZipFile(tmp_path / "evil.zip", "a") as archive:
            archive.writestr(name, "x")
        with pytest.raises(InputError, match=words):
            bc.import_model(tmp_path / "evil.zip", tmp_path / "out" / "model")
        assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["evil.zip"]
        assert list((tmp_path / "out").iterdir()) == []

    def test_bomb(self, exports: Path, tmp_path: Path) -> None:
        """What unpacks to far more than it is."""
        shutil.copy(exports / "care_plain.zip", tmp_path / "bomb.zip")
        (tmp_path / "bomb.zip").chmod(0o644)
        with (
            zipfile.ZipFile(tmp_path / "bomb.zip", "a", zipfile.ZIP_DEFLATED) as archive,
            archive.open("variables/more", "w", force_zip64=True) as file,
        ):
            for _ in range(1100):
                file.write(bytes(1 << 20))
        with pytest.raises(InputError, match="unlike weights"):
            bc.import_model(tmp_path / "bomb.zip", tmp_path / "out")

    def test_broken_data(self, exports: Path, tmp_path: Path) -> None:
        """A zip whose list of files is whole, and whose data are not."""
        content = bytearray((exports / "sd2d.zip").read_bytes())
        start = content.index(b"saved_model.pb") + 100
        content[start : start + 20_000] = bytes(20_000)
        (tmp_path / "model.zip").write_bytes(content)
        assert not StarDist().sniff(tmp_path / "model.zip")
        with pytest.raises(InputError, match="cannot be read as a zip of weights"):
            bc.import_model(tmp_path / "model.zip", tmp_path / "out", "stardist")

    @pytest.mark.parametrize("cut", [1, 100, 40_000])
    def test_cut_graphs(self, exports: Path, tmp_path: Path, cut: int) -> None:
        """A graph that ends in the middle."""
        with zipfile.ZipFile(exports / "sd2d.zip") as archive:
            graph = archive.read("saved_model.pb")
        write_zip(tmp_path / "model.zip", {"saved_model.pb": graph[:-cut]})
        with pytest.raises(InputError, match="broken, or cut off"):
            bc.import_model(tmp_path / "model.zip", tmp_path / "out", "stardist")
