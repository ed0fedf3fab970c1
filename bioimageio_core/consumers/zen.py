"""ZEN, which runs networks from files of its own format, without pre- or postprocessing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..axis_names import SPACE
from ..registry import Judgement
from .package_readers import op_names

__all__ = ["judge_zen"]

SOURCE, DATE = "ANN model specification of the package czmodel 6.2.0", "2026-11"

IN_A_GRAPH = frozenset({"binarize", "clip", "ensure_dtype", "fixed_zero_mean_unit_variance", "scale_linear", "sigmoid", "softmax"})
"""Ops that depend only on a pixel, or on the pixels of a block, so that they can be part of the network."""


OF_THE_IMAGE = frozenset({"scale_mean_variance", "scale_range", "zero_mean_unit_variance"})
"""Ops that depend on statistics of the complete image."""


def judge_zen(model: Any) -> Iterator[Judgement]:
    """Judge whether a model can be written as a ``.czann`` file, which ZEN imports."""

    def rule(words: str, good: bool, reason: str, remedy: str, *, perhaps: bool = False) -> Judgement:
        answer = "yes" if good else "unknown" if perhaps else "no"
        return Judgement(rule=words, answer=answer, reason=reason, remedy="" if good else remedy, source=SOURCE, date=DATE)  # type: ignore[arg-type]

    formats = ", ".join(model.weights)
    yield rule(
        "has ONNX weights, which go into a .czann file",
        "onnx" in model.weights,
        f"its weights are {formats}",
        "add ONNX weights, as with convert_weights() (bmz convert --to onnx)",
    )
    for words, tensors in (("input", model.inputs), ("output", model.outputs)):
        yield rule(f"has one {words}", len(tensors) == 1, f"it has {len(tensors)} {words}s", f"make it one network with one {words}")
    for op in dict.fromkeys(op_names(model)):
        reason, remedy = f"{op} can be part of the network", ""
        if op in OF_THE_IMAGE:
            reason, remedy = (
                f"{op} needs statistics of the complete image, and ZEN runs the network alone",
                "use an op with fixed numbers, such as scale_linear",
            )
        elif op not in IN_A_GRAPH:
            reason, remedy = f"ZEN runs the network alone, without {op}", "drop the op, and carry it out in other software"
        yield rule(f"the op {op} can be part of the network", op in IN_A_GRAPH, reason, remedy)
    spatial = [_space(t) for t in (*model.inputs, *model.outputs)]
    reason = f"tensors have {' and '.join(str(n) for n in sorted(set(spatial)))} axes in space"
    yield rule(
        "is of images with 2 or 3 axes in space",
        all(n in (2, 3) for n in spatial),
        reason,
        "add the missing axes, or remove the additional ones",
    )
    if model.run_mode is not None:
        yield rule("needs no run mode", False, f"it asks for {model.run_mode.name}", "describe the run mode by ops")


def _space(tensor: Any) -> int:
    axes = tensor.axes
    if isinstance(axes, str):
        return sum(a in SPACE for a in axes)
    return sum(a.type == "space" for a in axes)
