"""What is told of tests: in blocks, between formats, at other precisions, as data, text, pages and files."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from importlib.metadata import distributions
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from made_models import box_graph, box_model, pointwise_model, with_test_tensors
from onnx import numpy_helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError, SourceError
from bioimageio_core.json_values import json_safe
from bioimageio_core.model_tests.compare_outputs import compare
from bioimageio_core.model_tests.test_report import TestReport
from bioimageio_core.report.failed_outputs import save_failed_outputs
from bioimageio_core.report.html.model_test_page import model_test_page
from bioimageio_core.report.pictures.model_test_pictures import difference_picture
from bioimageio_core.report.pictures.side_by_side import to_colours
from bioimageio_core.report.text.card_text import card_text
from bioimageio_core.report.text.model_test_text import model_test_text
from bioimageio_core.spec.model.tolerances import Tolerance

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.jit

IMAGE = np.random.default_rng(0).random((1, 1, 32, 32), dtype=np.float32)


def mean(size: int) -> np.ndarray[Any, Any]:
    """Return the mean of cells of ``size`` x ``size`` pixels around each, zeros beyond the edge."""
    pad = size // 2
    padded = np.pad(IMAGE.astype(np.float64), [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    return np.asarray(sum(padded[:, :, i : i + 32, j : j + 32] for i in range(size) for j in range(size)) / size**2, np.float32)


def filter_model(folder: Path, *, halo: int, size: int = 5) -> Path:
    """Return a mean filter with test tensors."""
    model = box_model(folder, {"min": 16, "step": 1}, halo=halo, filter_size=size)
    return with_test_tensors(model, {"raw": IMAGE}, {"out": mean(size)})


def wrong_model(folder: Path) -> Path:
    """Return a model whose output is wrong at one pixel."""
    expected = IMAGE.copy()
    expected[0, 0, 3, 5] += 1
    return with_test_tensors(pointwise_model(folder), {"raw": IMAGE}, {"out": expected})


def decoded(png: bytes) -> np.ndarray[Any, Any]:
    """Return the pixels of a PNG, as Pillow reads them."""
    image: Any = pytest.importorskip("PIL.Image")
    return np.asarray(image.open(BytesIO(png)))


def with_torchscript(model: Path, *, gain: float) -> Path:
    """Give a filter model of 5 x 5 pixels the same as TorchScript, times a number."""
    torch: Any = pytest.importorskip("torch")
    network = torch.nn.Conv2d(1, 1, 5, padding=2, bias=False)
    network.weight.data[:] = gain / 25
    torch.jit.script(network).save(str(model / "weights.pt"))
    tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
    tree["weights"]["torchscript"] = {"source": "weights.pt", "pytorch_version": "2.0"}
    (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    return model


class TestBlocks:
    """Blocks against the whole: noted, since weights are not to blame."""

    def test_enough_halo(self, tmp_path: Path) -> None:
        """No difference in several blocks."""
        trial = bc.test_model(filter_model(tmp_path, halo=2)).blockwise
        assert trial is not None
        assert (trial.status, trial.weights_format) == ("passed", "onnx")
        assert trial.blocks > 1
        assert trial.greatest_difference < 1e-6

    def test_too_little_halo(self, tmp_path: Path) -> None:
        """The seam is located; the test passes all the same."""
        report = bc.test_model(filter_model(tmp_path, halo=1))
        assert report.status == "passed"
        assert report.blockwise is not None
        assert report.blockwise.status == "noted"
        assert "seam at" in report.blockwise.message
        assert "seam at" in model_test_text(report)

    def test_nothing_is_cut(self, tmp_path: Path) -> None:
        """Without a halo, axes are cut only where memory forces it."""
        model = with_test_tensors(pointwise_model(tmp_path), {"raw": IMAGE}, {"out": IMAGE})
        trial = bc.test_model(model).blockwise
        assert trial is not None
        assert trial.status == "skipped"


class TestTestTensors:
    """Test tensors that contradict the description."""

    def test_input_of_another_size(self, tmp_path: Path) -> None:
        """Fails, though the network takes it: the description says that it does not."""
        model = box_model(tmp_path, 16, halo=2, filter_size=5)
        report = bc.test_model(with_test_tensors(model, {"raw": IMAGE}, {"out": mean(5)}))
        assert report.status == "failed"
        assert report.tests[0].message.startswith("expected 16 along axis 'y' of tensor 'raw', found 32: shape (1, 1, 32, 32)")

    @pytest.mark.parametrize("name", ["raw", "out"])
    def test_wrong_rank(self, tmp_path: Path, name: str) -> None:
        """Is one sentence."""
        model = filter_model(tmp_path, halo=2)
        tensors = {"raw": IMAGE, "out": mean(5)}
        tensors[name] = tensors[name][0]
        with_test_tensors(model, {"raw": tensors["raw"]}, {"out": tensors["out"]})
        with pytest.raises(SourceError, match=rf"of '{name}' has 3 axes \(shape \(1, 32, 32\)\): expected 4 \(batch, channel, y, x\)"):
            bc.test_model(model)


class TestCroppedOutput:
    """Test outputs may lack the halo."""

    def test_compared_without_halo(self, tmp_path: Path) -> None:
        """The same crop is compared, which report, page and data say."""
        model = box_model(tmp_path, {"min": 16, "step": 1}, halo=2, filter_size=5)
        report = bc.test_model(with_test_tensors(model, {"raw": IMAGE}, {"out": mean(5)[..., 2:-2, 2:-2]}))
        (output,) = report.tests[0].outputs
        assert (output.passed, output.elements, output.cropped) == (True, 28 * 28, {"y": 2, "x": 2})
        assert "onnx: output 'out' is compared without its halo (y 2, x 2), which the test output lacks" in model_test_text(report)
        assert "y 2, x 2, as the test output" in model_test_page(report)
        assert TestReport.from_dict(json.loads(json.dumps(json_safe(report.as_dict())))).tests[0].outputs == (output,)

    def test_along_one_axis(self, tmp_path: Path) -> None:
        """A pixel that differs within the crop is found."""
        model = box_model(tmp_path, {"min": 16, "step": 1}, halo=2, filter_size=5)
        expected = mean(5)[..., 2:-2]
        expected[0, 0, 7, 9] += 1
        (output,) = bc.test_model(with_test_tensors(model, {"raw": IMAGE}, {"out": expected}), quick=True).tests[0].outputs
        assert (output.passed, output.mismatched, output.at, output.cropped) == (False, 1, (0, 0, 7, 9), {"x": 2})

    def test_another_size(self, tmp_path: Path) -> None:
        """A test output that lacks more than the halo fails by its shape."""
        model = box_model(tmp_path, {"min": 16, "step": 1}, halo=2, filter_size=5)
        (output,) = bc.test_model(with_test_tensors(model, {"raw": IMAGE}, {"out": mean(5)[..., 3:-3, 2:-2]}), quick=True).tests[0].outputs
        assert (output.message, output.cropped) == ("has shape (1, 1, 32, 32), the test tensor (1, 1, 26, 28)", {})


class TestSettings:
    """What adapters can be asked for."""

    def test_precision_nobody_has(self, tmp_path: Path) -> None:
        """Each format says what its adapters can."""
        model = filter_model(tmp_path, halo=2)
        report = bc.test_model(model, precision="fp16")
        assert report.status == "failed"
        assert "precision 'fp16'" in report.tests[0].message
        with pytest.raises(InputError, match="is 'fp8': expected one of fp32, bf16, fp16"):
            bc.test_model(model, precision="fp8")

    def test_deviation_of_bf16(self, tmp_path: Path) -> None:
        """Half the bits deviate by a few thousandths, which is told."""
        model = with_torchscript(filter_model(tmp_path, halo=2), gain=1)
        report = bc.test_model(model, precision="bf16", weights_format="torchscript", quick=True)
        assert report.settings == "cpu, bf16"
        assert 1e-6 < report.tests[0].deviations["out"] < 1e-2
        assert "from full precision" in model_test_text(report)
        assert "from full precision" in model_test_page(report)
        assert bc.test_model(model, weights_format="torchscript", quick=True).tests[0].deviations == {}

    def test_native(self, tmp_path: Path) -> None:
        """Users get the session itself."""
        with bc.open_predictor(filter_model(tmp_path, halo=2)) as predictor:
            assert [i.name for i in predictor.native().get_inputs()] == ["raw"]


class TestAgreement:
    """Several formats of one model are compared with each other."""

    def test_two_formats(self, tmp_path: Path) -> None:
        """The greatest difference of each output."""
        model = with_torchscript(filter_model(tmp_path, halo=2), gain=1.001)
        (pair,) = bc.test_model(model, quick=True).agreement
        assert (pair.first, pair.second, pair.output) == ("onnx", "torchscript", "out")
        assert pair.greatest_difference == pytest.approx(mean(5).max() / 1000, rel=0.01)


class TestAsData:
    """Reports as JSON, and back."""

    @pytest.mark.parametrize("make", [lambda folder: filter_model(folder, halo=1), wrong_model])
    def test_round_trip(self, tmp_path: Path, make: Any) -> None:
        """Nothing but the arrays is lost."""
        report = bc.test_model(make(tmp_path))
        again = TestReport.from_dict(json.loads(json.dumps(json_safe(report.as_dict()))))
        assert again.as_dict() == report.as_dict()
        assert again.status == report.status

    def test_no_number(self, tmp_path: Path) -> None:
        """A deviation that is no number is null, and NaN again."""
        model = with_test_tensors(pointwise_model(tmp_path), {"raw": IMAGE}, {"out": IMAGE[:, :, :8]})
        report = bc.test_model(model, quick=True)
        again = TestReport.from_dict(json.loads(json.dumps(json_safe(report.as_dict()))))
        assert np.isnan(again.tests[0].outputs[0].greatest_deviation)


class TestFiles:
    """Outputs that differ are saved."""

    def test_arrays_and_picture(self, tmp_path: Path) -> None:
        """Actual, expected, their difference, and a picture of the three."""
        report = bc.test_model(wrong_model(tmp_path), quick=True)
        folder = save_failed_outputs(report, tmp_path / "failures")
        assert folder == tmp_path / "failures"
        place = folder / "onnx" / "out"
        assert sorted(p.name for p in place.iterdir()) == ["actual.npy", "difference.npy", "expected.npy", "picture.png"]
        np.testing.assert_array_equal(np.load(place / "actual.npy"), IMAGE)
        difference = np.load(place / "difference.npy")
        assert np.argwhere(difference > 0.5).tolist() == [[0, 0, 3, 5]]
        assert json.loads((folder / "bmz-test.json").read_text())["status"] == "failed"

    def test_of_other_shape(self, tmp_path: Path) -> None:
        """There is no difference to save."""
        model = with_test_tensors(pointwise_model(tmp_path), {"raw": IMAGE}, {"out": IMAGE[:, :, :8]})
        folder = save_failed_outputs(bc.test_model(model, quick=True), tmp_path / "failures")
        assert folder is not None
        assert not (folder / "onnx" / "out" / "difference.npy").exists()
        assert (folder / "onnx" / "out" / "picture.png").exists()

    def test_nothing_failed(self, tmp_path: Path) -> None:
        """Nothing is written."""
        assert save_failed_outputs(bc.test_model(filter_model(tmp_path, halo=2), quick=True), tmp_path / "failures") is None
        assert not (tmp_path / "failures").exists()

    def test_again(self, tmp_path: Path) -> None:
        """The files of an earlier test are replaced, those of others never."""
        report = bc.test_model(wrong_model(tmp_path), quick=True)
        save_failed_outputs(report, tmp_path / "failures")
        (tmp_path / "failures" / "old").write_text("old")
        save_failed_outputs(report, tmp_path / "failures")
        assert not (tmp_path / "failures" / "old").exists()
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "cat.jpg").write_text("cat")
        with pytest.raises(OutputError, match="photos"):
            save_failed_outputs(report, tmp_path / "photos")
        assert (tmp_path / "photos" / "cat.jpg").exists()

    def test_picture(self) -> None:
        """Three panels with white between them, each pixel drawn 32 pixels large."""
        found = np.zeros((1, 2, 4, 5), np.float32)
        picture = difference_picture(found, found, ("batch", "channel", "y", "x"))
        assert picture is not None
        assert int.from_bytes(picture[16:20], "big") == 3 * 160 + 2 * 6
        assert int.from_bytes(picture[20:24], "big") == 128
        assert difference_picture(np.zeros((1, 3)), np.zeros((1, 3)), ("batch", "x")) is None


class TestDifferencePicture:
    """How far an output is from its test tensor, in colours."""

    def test_in_units_of_the_tolerance(self) -> None:
        """No difference is dark, the tolerance has the middle colour, twice the tolerance the brightest."""
        expected = np.zeros((1, 1, 160, 4))
        found = expected.copy()
        found[..., 1], found[..., 2], found[..., 3] = 0.01, 0.02, np.nan
        verdict = compare("out", found, expected, Tolerance(relative=0.0, absolute=0.01, mismatched_per_million=0, output_ids=("out",)))
        png = difference_picture(found, expected, ("batch", "channel", "y", "x"), verdict)
        assert png is not None
        pixels = decoded(png)[0, -4:]
        ramp = to_colours(np.array([[0.0, 1.0, 2.0, 2.0]]), 0.0, 2.0)[0]
        np.testing.assert_array_equal(pixels, ramp)


class TestEvidence:
    """When, with what and on what a model was tested."""

    def test_hashes(self, tmp_path: Path) -> None:
        """Those of the files, by hashlib; the page has them, and JSON returns."""
        model = filter_model(tmp_path, halo=2)
        report = bc.test_model(model, quick=True)
        evidence = report.evidence
        assert evidence is not None
        assert evidence.description_sha256 == hashlib.sha256((model / "bioimageio.yaml").read_bytes()).hexdigest()
        assert report.tests[0].sha256 == hashlib.sha256((model / "weights.onnx").read_bytes()).hexdigest()
        assert abs(datetime.fromisoformat(evidence.made) - datetime.now().astimezone()) < timedelta(minutes=5)
        page = model_test_page(report)
        for text in (report.tests[0].sha256, evidence.description_sha256, evidence.packages_sha256, evidence.made[:10]):
            assert text in page
        assert TestReport.from_dict(json.loads(json.dumps(json_safe(report.as_dict())))).evidence == evidence

    def test_packages(self, tmp_path: Path) -> None:
        """Anyone can make the hash from a list of what is installed."""
        evidence = bc.test_model(filter_model(tmp_path, halo=2), quick=True).evidence
        assert evidence is not None
        lines = sorted({f"{d.name.lower()}=={d.version}\n" for d in distributions() if d.name})
        assert evidence.packages == len(lines)
        assert evidence.packages_sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()


class TestLastTest:
    """What cards say of the last test."""

    def test_until_the_description_changes(self, tmp_path: Path) -> None:
        """None, then the verdict; a changed description was not tested."""
        model = filter_model(tmp_path, halo=2)
        path = model / "bioimageio.yaml"
        path.write_text(f"{path.read_text()}\n# {tmp_path.name}\n")
        assert bc.card(model).last_test is None  # type: ignore[attr-defined]
        bc.test_model(model, quick=True)
        last = bc.card(model).last_test  # type: ignore[attr-defined]
        assert (last.status, dict(last.weights)) == ("passed", {"onnx": "passed"})
        assert f"passed on {datetime.now().astimezone().date().isoformat()} (cpu): onnx passed" in card_text(bc.card(model))
        path.write_text(f"{path.read_text()}\n# changed\n")
        assert bc.card(model).last_test is None  # type: ignore[attr-defined]
        assert "not tested on this machine" in card_text(bc.card(model))


class TestPage:
    """The report as a page."""

    def test_pictures_are_part_of_it(self, tmp_path: Path) -> None:
        """It needs no other file, and hostile names stay text."""
        model = wrong_model(tmp_path)
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["name"] = "a (b) c"
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        page = model_test_page(bc.test_model(model))
        assert "data:image/png;base64," in page
        assert "1 of 1024 elements" in page
        assert 'class="invalid">failed' in page
        assert 'src="http' not in page


def test_altered_weights_are_found(tmp_path: Path) -> None:
    """A network that was changed after the test tensors were made does not pass."""
    model = filter_model(tmp_path, halo=2)
    box_graph(tmp_path / "weights.onnx", size=5)
    graph = onnx.load(str(tmp_path / "weights.onnx"))
    kernel = numpy_helper.to_array(graph.graph.initializer[0]).copy()
    kernel[0, 0, 0, 0] *= 1.5
    graph.graph.initializer[0].CopyFrom(numpy_helper.from_array(kernel, "kernel"))
    onnx.save(graph, str(tmp_path / "weights.onnx"))
    assert bc.test_model(model, quick=True).status == "failed"
