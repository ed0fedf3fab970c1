"""A table of what was measured of a network beside its description."""

from __future__ import annotations

from collections.abc import Sequence

from ...prediction.geometry.network_geometry import AnalysedAxis, AnalysedOutputAxis, NetworkAnalysis
from .tensor_card import TensorCard

__all__ = ["NETWORK_HEADER", "network_rows"]

NETWORK_HEADER = ("axis", "sizes", "stride", "output axis", "halo needed", "halo described")


def network_rows(measured: NetworkAnalysis | None, outputs: Sequence[TensorCard]) -> list[tuple[str, ...]]:
    """Return a row for each output axis that follows an input axis; none if the network was not measured.

    Args:
        measured: What was measured.
        outputs: The outputs as described.

    """
    if measured is None:
        return []
    described = {(t.id, a.id): a.halo for t in outputs for a in t.axes}
    return [_row(axis, output, described.get((output.tensor, output.axis), 0)) for axis in measured.axes for output in axis.outputs]


def _row(axis: AnalysedAxis, output: AnalysedOutputAxis, described: int) -> tuple[str, ...]:
    stride = "none found" if axis.stride is None else str(axis.stride)
    need = "the whole axis" if output.halo is None else str(output.halo)
    name = f"{axis.inputs[0][0]}.{axis.axis}"
    return name, str(axis.size), stride, f"{output.tensor}.{output.axis}", need, str(described)
