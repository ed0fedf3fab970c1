from __future__ import annotations

from typing import Any, ClassVar

import pytest
from mending import errors, mended, model_0_3, model_0_4

from bioimageio_core.registry import Registry
from bioimageio_core.spec.repair.repairing import repair_and_update
from bioimageio_core.structuring.converter import unstructure


@pytest.fixture
def tree() -> dict[str, Any]:
    """A valid model of format 0.4 with letters byxc, and weights of two formats."""
    return model_0_4()


@pytest.fixture
def early() -> dict[str, Any]:
    """A valid model of format 0.3.2, with the architecture at the top."""
    return model_0_3()


class TestFiles:
    """Test and sample files."""

    def test_images_are_samples(self, tree: dict[str, Any], registry: Registry) -> None:
        """Test files that are no arrays become samples, since no test can use them."""
        tree |= {"test_inputs": ["a.tif"], "test_outputs": "b.tif"}
        new, warnings = mended(tree, registry)
        assert new["inputs"][0]["sample_tensor"] == {"source": "a.tif"}
        assert "test_tensor" not in new["inputs"][0]
        assert new["outputs"][0]["sample_tensor"] == {"source": "b.tif"}
        assert warnings["test_inputs"][0] == "expected .npy files, found a.tif: moved to sample_inputs"

    def test_exchanged(self, tree: dict[str, Any], registry: Registry) -> None:
        """Arrays among the samples, of the same names, are the test files."""
        tree |= {"test_inputs": ["./a.tif"], "sample_inputs": ["./a.npy"]}
        new, warnings = mended(tree, registry)
        assert new["inputs"][0]["test_tensor"] == {"source": "./a.npy"}
        assert new["inputs"][0]["sample_tensor"] == {"source": "./a.tif"}
        assert warnings["test_inputs"] == ["exchanged with sample_inputs, since test files are .npy, and those are"]

    def test_of_weights(self, early: dict[str, Any], registry: Registry) -> None:
        """Test files of weights formats are those of the model."""
        del early["test_inputs"], early["test_outputs"], early["type"]
        early["weights"]["pytorch_state_dict"] |= {"test_input": "a.npy", "test_outputs": ["b.npy"]}
        early["weights"]["torchscript"] = {"source": "t.pt", "test_input": "a.npy", "test_outputs": ["c.npy"]}
        new, warnings = mended(early, registry)
        assert (new["inputs"][0]["test_tensor"], new["outputs"][0]["test_tensor"]) == ({"source": "a.npy"}, {"source": "b.npy"})
        assert new["config"]["repaired"] == {"weights.torchscript.test_outputs": ["c.npy"]}
        assert warnings["weights.torchscript.test_input"] == ["left out, since it is what test_inputs says"]

    def test_singular(self, early: dict[str, Any], registry: Registry) -> None:
        """Early versions said test_input."""
        early |= {"test_input": early.pop("test_inputs")[0], "test_output": early.pop("test_outputs")[0]}
        new, _ = mended(early, registry)
        assert new["inputs"][0]["test_tensor"] == {"source": "in.npy"}

    def test_lists_in_the_newest_form(self, model: dict[str, Any], registry: Registry) -> None:
        """Lists of files in format 0.5 are those of tensors; what a tensor has already stays."""
        was = model["inputs"][0]["test_tensor"]
        model |= {"test_inputs": ["other.npy"], "sample_inputs": ["s.tif"]}
        model["inputs"][0].pop("sample_tensor", None)
        new, _ = mended(model, registry)
        assert (new["inputs"][0]["test_tensor"], new["inputs"][0]["sample_tensor"]) == (was, {"source": "s.tif"})
        assert new["config"]["repaired"] == {"test_inputs.0": "other.npy"}


class TestTensors:
    """Inputs and outputs; numbers by hand."""

    def test_reference_input(self, tree: dict[str, Any], registry: Registry) -> None:
        """The name of up to 0.3.2 in a later version."""
        shape = tree["outputs"][0]["shape"]
        shape["reference_input"] = shape.pop("reference_tensor")
        new, warnings = mended(tree, registry)
        assert new["outputs"][0]["axes"][1]["size"] == {"tensor_id": "raw", "axis_id": "y"}
        assert warnings["outputs.0.shape.reference_input"] == ["read as reference_tensor"]

    def test_names(self, tree: dict[str, Any], registry: Registry) -> None:
        """A name becomes an identifier wherever it is referred to."""
        tree["inputs"][0]["name"] = "raw image [a.u.]"
        tree["outputs"][0]["shape"]["reference_tensor"] = "raw image [a.u.]"
        step = {"name": "scale_mean_variance", "kwargs": {"mode": "per_sample", "axes": "yx", "reference_tensor": "raw image [a.u.]"}}
        tree["outputs"][0]["postprocessing"] = [step]
        new, _ = mended(tree, registry)
        assert new["inputs"][0]["id"] == "raw_image_a_u"
        assert new["outputs"][0]["axes"][1]["size"]["tensor_id"] == "raw_image_a_u"
        assert new["outputs"][0]["postprocessing"][0]["kwargs"]["reference_tensor"] == "raw_image_a_u"

    def test_axes_and_range(self, tree: dict[str, Any], registry: Registry) -> None:
        """Capitals, lists of letters, and a range that is text."""
        tree["inputs"][0] |= {"axes": "BYXC", "data_range": "[0, inf]"}
        tree["outputs"][0] |= {"axes": ["b", "y", "x", "c"], "data_range": "[-inf, inf]"}
        new, _ = mended(tree, registry)
        assert [axis["type"] for axis in new["inputs"][0]["axes"]] == ["batch", "space", "space", "channel"]
        assert new["inputs"][0]["data"]["range"] == [0.0, None]
        assert [axis["type"] for axis in new["outputs"][0]["axes"]] == ["batch", "space", "space", "channel"]

    def test_without_batch(self, tree: dict[str, Any], registry: Registry) -> None:
        """Three numbers for byxc, the first of which the batch can not have, are those of y, x and c."""
        tree["inputs"][0]["shape"] = {"min": [32, 48, 3], "step": [16, 16, 0]}
        tree["outputs"][0] |= {"shape": {"reference_tensor": "raw", "scale": [2, 2, 1], "offset": [0, 0, -1]}, "halo": [8, 8, 0]}
        new, warnings = mended(tree, registry)
        _, y, x, c = new["inputs"][0]["axes"]
        assert (y["size"], x["size"], len(c["channel_names"])) == ({"min": 32, "step": 16}, {"min": 48, "step": 16}, 3)
        _, y, x, c = new["outputs"][0]["axes"]
        assert y == {"type": "space", "id": "y", "size": {"tensor_id": "raw", "axis_id": "y"}, "scale": 0.5, "halo": 8}
        assert len(c["channel_names"]) == 1
        assert {"inputs.0.shape.min", "inputs.0.shape.step", "outputs.0.shape.scale", "outputs.0.halo"} <= set(warnings)

    def test_which_is_missing_is_not_guessed(self, tree: dict[str, Any], registry: Registry) -> None:
        """Three numbers for byxc that may be those of b, y and x stay."""
        tree["inputs"][0]["shape"] = [1, 64, 64]
        assert "outputs.0.shape.scale" in errors(tree, registry)

    @pytest.mark.parametrize(("scale", "offset"), [([1, 1, 1, 2], [1, 0, 0, 0]), ([1, 1, 2], [0, 0, 0])])
    def test_new_batch_axis(self, tree: dict[str, Any], registry: Registry, scale: list[int], offset: list[int]) -> None:
        """An output with a batch axis that the input lacks: the scales are those of the other axes."""
        tree["inputs"][0] |= {"axes": "yxc", "shape": {"min": [64, 64, 3], "step": [16, 16, 0]}}
        tree["outputs"][0]["shape"] |= {"scale": scale, "offset": offset}
        tree["license"] = 3
        new, _ = mended(tree, registry)
        b, y, _, c = new["outputs"][0]["axes"]
        assert (b, y["size"], len(c["channel_names"])) == ({"type": "batch"}, {"tensor_id": "raw", "axis_id": "y"}, 6)

    def test_least_sizes(self, tree: dict[str, Any], registry: Registry) -> None:
        """Halo 40 takes all of 64 + 16 n up to n = 1: 96 is the least of which something is left."""
        tree["outputs"][0]["halo"] = [0, 40, 8, 0]
        new, warnings = mended(tree, registry)
        assert [axis["size"] for axis in new["inputs"][0]["axes"][1:3]] == [{"min": 96, "step": 16}, {"min": 64, "step": 16}]
        assert "inputs.0.shape.min" in warnings

    def test_exact(self, tree: dict[str, Any], registry: Registry) -> None:
        """The first drafts had a key for fixed shapes."""
        tree["inputs"][0]["shape"] = {"exact": [1, 64, 64, 3]}
        assert [axis.get("size") for axis in mended(tree, registry)[0]["inputs"][0]["axes"]] == [None, 64, 64, None]

    def test_unknown_keys(self, tree: dict[str, Any], registry: Registry) -> None:
        """Keys that the format does not have are kept by their path, at any depth; the tensors stay."""
        before, _ = mended({**tree, "cite": None}, registry)
        tree["inputs"][0]["colour"] = "red"
        tree["outputs"][0]["shape"]["origin"] = [0, 0]
        new, warnings = mended(tree, registry)
        assert new["config"]["repaired"] == {"inputs.0.colour": "red", "outputs.0.shape.origin": [0, 0]}
        assert warnings["inputs.0.colour"] == ["'red' was moved to config.repaired: unknown key"]
        assert (new["inputs"], new["outputs"]) == (before["inputs"], before["outputs"])

    def test_unknown_keys_of_the_newest_form(self, model: dict[str, Any], registry: Registry) -> None:
        """Of axes, sizes and data in format 0.5, too."""
        model["inputs"][0]["axes"][-1]["direction"] = "right"
        model["inputs"][0]["data"] = {"type": "float32", "camera": 3}
        new, _ = mended(model, registry)
        last = len(model["inputs"][0]["axes"]) - 1
        assert new["config"]["repaired"] == {f"inputs.0.axes.{last}.direction": "right", "inputs.0.data.camera": 3}

    @pytest.mark.parametrize("slip", ["hallo", "hlao", "hal"])
    def test_misspelt_keys(self, tree: dict[str, Any], registry: Registry, slip: str) -> None:
        """A key that is probably one of the format says something about the tensor, so it is not taken away."""
        tree["outputs"][0][slip] = tree["outputs"][0].pop("halo")
        assert list(errors(tree, registry)) == [f"outputs.0.{slip}"]

    def test_missing_is_not_made_up(self, tree: dict[str, Any], registry: Registry) -> None:
        """Without a type of data, or with an unknown size, there is no tensor."""
        del tree["outputs"][0]["data_type"]
        tree["outputs"][0]["shape"] = [1, -1, -1, 3]
        assert "outputs.0.data_type" in errors(tree, registry)


class TestSteps:
    """Processing; numbers by hand."""

    @pytest.mark.parametrize(
        ("written", "step"),
        [
            (
                {"name": "zero_mean_unit_variance", "kwargs": {"mode": "per_sample", "axes": "xy"}},
                {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["x", "y"]}},
            ),
            (
                [{"scale_range": {"kwargs": {"mode": "per_sample", "axes": "xyz", "max_percentile": 99.0}}}],
                {"id": "scale_range", "kwargs": {"axes": ["x", "y"], "max_percentile": 99.0}},
            ),
            (
                [{"name": "zero_mean_unit_var", "kwargs": {"mean": 129, "std": [23]}}],
                {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 129.0, "std": 23.0}},
            ),
            (
                [{"name": "scale_linear", "kwargs": {"mode": "fixed", "gain": [10.0], "offset": [1.0]}}],
                {"id": "scale_linear", "kwargs": {"gain": 10.0, "offset": 1.0}},
            ),
            (
                [{"name": "min_max_normalization", "kwargs": {"mode": "fixed", "axes": "xy", "min": 2, "max": 10}}],
                {"id": "scale_linear", "kwargs": {"gain": 0.125, "offset": -0.25}},
            ),
        ],
    )
    def test_read_as(self, tree: dict[str, Any], registry: Registry, written: Any, step: Any) -> None:
        """Earlier forms of steps compute what they did."""
        tree["inputs"][0]["preprocessing"] = written
        tree["inputs"][0]["data_range"] = "[0, 255]"
        new, warnings = mended(tree, registry)
        assert new["inputs"][0]["preprocessing"][0] == step
        assert any(path.startswith("inputs.0.preprocessing") for path in warnings)

    def test_null(self, tree: dict[str, Any], registry: Registry) -> None:
        """No steps may be said by null."""
        tree["inputs"][0]["preprocessing"] = None
        new, warnings = mended(tree, registry)
        assert [step["id"] for step in new["inputs"][0]["preprocessing"]] == ["ensure_dtype"]
        assert warnings["inputs.0.preprocessing"] == ["null was left out"]

    def test_normalization(self, tree: dict[str, Any], registry: Registry) -> None:
        """The one step of the first drafts."""
        tree["inputs"][0]["normalization"] = {"name": "zero_mean_unit_var", "kwargs": {"mean": 1, "std": 2}}
        new, _ = mended(tree, registry)
        assert new["inputs"][0]["preprocessing"][0]["kwargs"] == {"mean": 1.0, "std": 2.0}

    @pytest.mark.parametrize(
        "step",
        [
            {"name": "zero_mean_unit_variance"},
            {"name": "zero_mean_unit_variance", "kwargs": {"mode": "per_sample"}},
            {"name": "zero_mean_unit_variance", "kwargs": {"mean": [1, 2, 3], "std": [1, 2, 3]}},
            {"name": "custom"},
            {"name": "clip", "kwargs": {"min": 0, "max": 1, "mean": 3}},
        ],
    )
    def test_not_guessed(self, tree: dict[str, Any], registry: Registry, step: Any) -> None:
        """What a step computes is not changed by adding or taking away arguments."""
        tree["inputs"][0]["preprocessing"] = [step]
        assert all(path.startswith("inputs.0.preprocessing.0") for path in errors(tree, registry))


class TestWeights:
    """Weights and architectures."""

    def test_former_name(self, tree: dict[str, Any], registry: Registry) -> None:
        """Of pytorch_script, also as a parent."""
        weights = tree["weights"]
        weights["pytorch_script"] = weights.pop("torchscript")
        weights["onnx"]["parent"] = "pytorch_script"
        new, warnings = mended(tree, registry)
        assert new["weights"]["onnx"]["parent"] == "torchscript"
        assert new["weights"]["torchscript"] == {"source": "w.pt", "sha256": "b" * 64, "pytorch_version": "2.0"}
        assert "weights.pytorch_script" in warnings

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("tensorlfow_js", "tensorflow_js"),
            ("onx", "onnx"),
            ("ONNX", "onnx"),
            ("torchscripts", "torchscript"),
            ("keras_v2", None),
            ("pickle", None),
        ],
    )
    def test_slips(self, tree: dict[str, Any], registry: Registry, written: str, meant: str | None) -> None:
        """A name that is one letter off the name of a single format; a different digit is a different format."""
        tree["weights"] = {written: {"source": "w.bin"}, "keras_hdf5": {"source": "w.h5", "parent": written}}
        descr, report = repair_and_update(tree, registry)
        weights = unstructure(descr)["weights"]
        if meant is None:
            assert written in weights or report.status == "invalid"
        else:
            assert list(weights) == [meant, "keras_hdf5"]
            assert weights["keras_hdf5"]["parent"] == meant
            assert ("warning", f"read as {meant}") in [(i.severity, i.message) for i in report.issues if i.path == f"weights.{written}"]

    def test_slip_of_a_format_that_is_there(self, tree: dict[str, Any], registry: Registry) -> None:
        """Nothing is replaced."""
        tree["weights"]["onx"] = {"source": "other.onnx"}
        descr, _ = repair_and_update(tree, registry)
        assert unstructure(descr)["weights"]["onx"] == {"source": "other.onnx"}

    def test_listed(self, early: dict[str, Any], registry: Registry) -> None:
        """Of a list the first entry is kept in its place, the others in the config."""
        first, second = ({"id": name, "source": f"{name}.pt", "sha256": "d" * 64} for name in ("one", "two"))
        early["weights"] = [first, second]
        new, warnings = mended(early, registry)
        entry = new["weights"]["pytorch_state_dict"]
        assert (entry["source"], entry["sha256"], entry["architecture"]["kwargs"]) == ("one.pt", "d" * 64, {"depth": 3})
        assert new["config"]["repaired"] == {"weights.1": second, "weights.pytorch_state_dict.id": "one"}
        assert "its first entry was read as pytorch_state_dict" in warnings["weights"][0]

    def test_model_block(self, early: dict[str, Any], registry: Registry) -> None:
        """The drafts had the architecture under model, and the hash of its file nowhere."""
        early["model"] = {key: early.pop(key) for key in ("source", "kwargs", "language", "framework")} | {"covers": ["a.png"]}
        del early["sha256"], early["type"]
        new, _ = mended(early, registry)
        architecture = {"source": "net.py", "callable": "Net", "kwargs": {"depth": 3}}
        assert new["weights"]["pytorch_state_dict"]["architecture"] == architecture
        assert new["config"]["repaired"] == {"model.covers": ["a.png"]}

    @pytest.mark.parametrize("written", ["net.py::Net", "https://example.com/files/net.py:Net/content"])
    def test_architecture(self, early: dict[str, Any], registry: Registry, written: str) -> None:
        """One colon, and the name last; arguments under an earlier name."""
        early |= {"source": written, "optional_kwargs": early.pop("kwargs")}
        new, _ = mended(early, registry)
        architecture = new["weights"]["pytorch_state_dict"]["architecture"]
        assert architecture["source"] in ("net.py", "https://example.com/files/net.py/content")
        assert (architecture["callable"], architecture["kwargs"]) == ("Net", {"depth": 3})

    def test_architecture_for_nobody(self, early: dict[str, Any], registry: Registry) -> None:
        """An architecture that no weights need is kept, not dropped."""
        del early["type"]
        early["weights"] = {"torchscript": {"source": "w.pt"}}
        new, _ = mended(early, registry)
        assert new["config"]["model_0_3"] == {
            "source": "net.py:Net",
            "sha256": "c" * 64,
            "kwargs": {"depth": 3},
            "language": "python",
            "framework": "pytorch",
        }

    def test_version_that_is_none(self, tree: dict[str, Any], registry: Registry) -> None:
        """A version that can not be read is kept, and an early one assumed as for weights without."""
        tree["weights"]["torchscript"]["pytorch_version"] = "1.x"
        new, _ = mended(tree, registry)
        assert new["weights"]["torchscript"]["pytorch_version"] == "1.10"
        assert new["config"]["repaired"] == {"weights.torchscript.pytorch_version": "1.x"}

    def test_hashes_are_left_alone(self, tree: dict[str, Any], registry: Registry) -> None:
        """A hash that is none is for people to decide on, as is a file that nobody names; a word that says nothing is left out."""
        tree["weights"]["onnx"]["sha256"] = "1234567"
        del tree["weights"]["torchscript"]["source"]
        assert set(errors(tree, registry)) == {"weights.onnx.sha256", "weights.torchscript.source"}
        tree["weights"] = {"onnx": {"source": "w.onnx", "sha256": "TODO"}}
        assert "sha256" not in mended(tree, registry)[0]["weights"]["onnx"]


class TestTolerance:
    """The tolerance of tests in ``config``."""

    WRITTEN: ClassVar[dict[str, Any]] = {"relative_tolerance": 0.005, "weights_formats": ["onnx"]}

    def test_mapping(self, tree: dict[str, Any], model: dict[str, Any], registry: Registry) -> None:
        """One in place of a list, in a model of format 0.5, and of 0.4, whose config is free until it is updated."""
        model["config"] = {"bioimageio": {"reproducibility_tolerance": dict(self.WRITTEN)}}
        new, warnings = mended(model, registry)
        assert new["config"]["bioimageio"]["reproducibility_tolerance"] == [self.WRITTEN]
        assert "read as a list of one" in warnings["config.bioimageio.reproducibility_tolerance"][0]
        tree["config"] = {"bioimageio": {"reproducibility_tolerance": dict(self.WRITTEN)}}
        descr, _ = repair_and_update(tree, registry)
        assert unstructure(descr)["config"]["bioimageio"]["reproducibility_tolerance"] == [self.WRITTEN]

    def test_by_name(self, model: dict[str, Any], registry: Registry) -> None:
        """A mapping of several, by a name that may mean anything, is not guessed at."""
        model["config"] = {"bioimageio": {"reproducibility_tolerance": {"onnx": dict(self.WRITTEN)}}}
        assert list(errors(model, registry)) == ["config.bioimageio.reproducibility_tolerance"]
