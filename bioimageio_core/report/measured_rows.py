"""What was measured of a network beside what its description says, in rows for texts and pages."""

from __future__ import annotations

from ..network_analysis.network_geometry import AnalysedAxis, AnalysedOutputAxis
from .model_card import ModelCard

__all__ = ["MEASURED_HEADER", "measured_rows"]

MEASURED_HEADER = ("axis", "sizes", "stride", "output axis", "halo needed", "halo described")


def measured_rows(card: ModelCard) -> list[tuple[str, ...]]:
    """Return a row for each output axis that follows an input axis."""
    described = {(t.id, a.id): a.halo for t in card.outputs for a in t.axes}
    if card.measured is None:
        return []
    return [_row(axis, output, described.get((output.tensor, output.axis), 0)) for axis in card.measured.axes for output in axis.outputs]


def _row(axis: AnalysedAxis, output: AnalysedOutputAxis, described: int) -> tuple[str, ...]:
    stride = "none found" if axis.stride is None else str(axis.stride)
    need = "the whole axis" if output.halo is None else str(output.halo)
    name = f"{axis.inputs[0][0]}.{axis.axis}"
    return name, str(axis.size), stride, f"{output.tensor}.{output.axis}", need, str(described)
