"""``bmz init`` on the weights of real models, against their real descriptions."""

from __future__ import annotations

from math import floor
from pathlib import Path
from typing import Any

import pytest
from bmz_process import Ran, run_process
from recorded_runs import record_run

from bioimageio_core import load_model_description
from bioimageio_core.blocks import FixedSize, SteppedSize
from bioimageio_core.prediction.model.from_v0_4 import model_io_v0_4
from bioimageio_core.prediction.model.from_v0_5 import model_io_v0_5
from bioimageio_core.prediction.model.tensor_spec import ModelIO, ReferencedSize, TensorIO

REAL = [
    ("unet2d_nuclei_broad", "bioimageio.yaml", "weights.onnx"),
    ("unet2d_nuclei_broad", "bioimageio.yaml", "weights.pt"),
    ("unet2d_nuclei_broad", "expand_output_shape.bioimageio.yaml", "weights_expand_torchscript.pt"),
    ("unet2d_fixed_shape", "v0_4.bioimageio.yaml", "weights.onnx"),
    ("unet2d_fixed_shape", "v0_4.bioimageio.yaml", "weights_torchscript.pt"),
    ("unet2d_multi_tensor_v0_4", "v0_4.bioimageio.yaml", "weights.onnx"),
    ("unet2d_multi_tensor_v0_4", "v0_4.bioimageio.yaml", "weights-torchscript.pt"),
    ("unet2d_multi_tensor", "bioimageio.yaml", "weights_torchscript_traced.pt"),
    ("unet2d_diff_output_shape", "bioimageio.yaml", "weights_torchscript.pt"),
    ("upsample_test_model", "v0_4.bioimageio.yaml", "weights.onnx"),
    ("upsample_test_model", "v0_4.bioimageio.yaml", "weights_torchscript.pt"),
]

INSTANCE_NORMALISED = ("unet2d_fixed_shape", "unet2d_diff_output_shape")
"""Every pixel depends on the whole image, so blocks differ from the whole."""


def io_of(path: Path) -> ModelIO:
    """Return the normalised inputs and outputs of a description."""
    descr = load_model_description(path)
    return (model_io_v0_4 if descr.format_version.startswith("0.4") else model_io_v0_5)(descr)


def check(ran: Ran) -> Ran:
    """Return what ran well."""
    assert ran.status == 0, ran.err
    return ran


@pytest.fixture(scope="module", params=REAL, ids=lambda real: "/".join((real[0], real[2])))
def drafted(
    request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[tuple[str, str, str], Path, Any]:
    """The real model, the folder that was written, and what was printed."""
    pytest.importorskip("torch" if request.param[2].endswith(".pt") else "onnxruntime")
    folder = tmp_path_factory.mktemp("drafted") / "model"
    ran = check(run_process("init", shared / "models" / request.param[0] / request.param[2], "-o", folder, "--json"))
    return request.param, folder, ran.json


class TestAgreesWithTheRealDescription:
    """Preprocessing cannot be known; all else can."""

    def test_axes_sizes_scales_and_halos(self, drafted: tuple[tuple[str, str, str], Path, Any], shared: Path) -> None:
        """Axes, channels and dtypes are equal; all described sizes are taken; outputs have the described sizes; halos are as large."""
        (name, description, _), folder, _ = drafted
        real, ours = io_of(shared / "models" / name / description), io_of(folder / "bioimageio.yaml")
        assert [len(real.inputs), len(real.outputs)] == [len(ours.inputs), len(ours.outputs)]
        for theirs, mine in zip((*real.inputs, *real.outputs), (*ours.inputs, *ours.outputs), strict=True):
            assert mine.axis_ids == theirs.axis_ids
            assert mine.dtype == theirs.dtype
            for a, b in zip(mine.axes, theirs.axes, strict=True):
                assert a.kind == b.kind
                # Where sizes are free and every pixel depends on the whole image, no halo is written, so that nothing is cut without need.
                whole = name in INSTANCE_NORMALISED and isinstance(our_size(ours, "y"), SteppedSize)
                assert a.halo == 0 if whole else a.halo >= b.halo
        base = {"y": sizes(real, "y", 4), "x": sizes(real, "x", 4)}
        taken = {axis: [s for s in base[axis] if takes(ours, axis, s)] for axis in base}
        for axis, some in taken.items():
            # Refused are only sizes of which our halo leaves nothing, and those that a fixed graph refuses.
            least = our_size(ours, axis)
            expected = [s for s in base[axis] if (s == least.value if isinstance(least, FixedSize) else s >= least.min)]
            assert some == expected != []
        for y, x in zip(taken["y"], taken["x"], strict=True):
            at = {"y": y, "x": x}
            assert [shape(t, ours, at) for t in ours.outputs] == [shape(t, real, at) for t in real.outputs]

    def test_valid_and_what_is_missing_is_listed(self, drafted: tuple[tuple[str, str, str], Path, Any]) -> None:
        """In JSON, in the description and in its documentation."""
        _, folder, said = drafted
        assert said["status"] == "valid"
        assert {"authors", "license", "cite", "documentation", "inputs.0.preprocessing"} <= {t["path"] for t in said["todo"]}
        assert not [i for i in said["issues"] if i["severity"] == "error"]
        assert check(run_process("validate", folder, "--check-files")).out.startswith(str(folder))
        assert "TODO" in (folder / "documentation.md").read_text()

    def test_unedited_it_reproduces_itself(self, drafted: tuple[tuple[str, str, str], Path, Any]) -> None:
        """``bmz test``."""
        (name, _, file), folder, said = drafted
        check(run_process("test", folder))
        record_run(said["weights_format"], f"{name}/{file} begun", "test tensors", "onnxruntime" if file.endswith("onnx") else "torch")

    def test_unedited_blocks_give_the_whole(self, drafted: tuple[tuple[str, str, str], Path, Any]) -> None:
        """``bmz verify``, but for networks that take statistics over the image: their blocks differ with the real description, too."""
        (name, _, _), folder, _ = drafted
        ran = run_process("verify", folder)
        assert ran.status == (1 if name in INSTANCE_NORMALISED else 0), ran.err or ran.out
        assert ("DIFFERENT" in ran.out) == (name in INSTANCE_NORMALISED)


def our_size(io: ModelIO, axis: str) -> Any:
    """Return the size of an axis of the first input."""
    found = io.inputs[0].axis(axis)
    assert found is not None
    return found.size


def sizes(io: ModelIO, axis: str, count: int) -> list[int]:
    """Return some sizes that a description allows."""
    size = our_size(io, axis)
    return [size.value] * count if isinstance(size, FixedSize) else [size.smallest(n) for n in (1, 100, 180, 256)][:count]


def takes(io: ModelIO, axis: str, size: int) -> bool:
    """Return whether a description allows a size."""
    known = our_size(io, axis)
    return known == FixedSize(size) or (isinstance(known, SteppedSize) and known.smallest(size) == size)


def shape(tensor: TensorIO, io: ModelIO, at: dict[str, int]) -> tuple[int, ...]:
    """Return the shape of an output for the sizes of inputs."""
    found = []
    for axis in tensor.axes:
        size = axis.size
        if isinstance(size, ReferencedSize):
            referenced = io.tensor(size.tensor).axis(size.axis)
            assert referenced is not None
            base = referenced.size.value if referenced.kind == "channel" else at[size.axis]  # type: ignore[union-attr]
            found.append(floor(base * size.ratio) + size.offset)
        elif axis.kind == "batch":
            found.append(1)
        else:
            assert isinstance(size, FixedSize)
            found.append(size.value)
    return tuple(found)
