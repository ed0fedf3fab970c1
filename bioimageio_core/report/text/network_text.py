"""The geometry of a network as text."""

from __future__ import annotations

from ...prediction.geometry.network_geometry import NetworkAnalysis
from ..plain_text import table

__all__ = ["ANALYSIS_HEADER", "analysis_rows", "network_text"]

ANALYSIS_HEADER = ("axis", "sizes", "stride", "output axis", "halo needed")


def network_text(analysis: NetworkAnalysis) -> str:
    """Return a table of axes: sizes that the network takes, its stride, and the halo that outputs need."""
    of = f"{analysis.weights_format} weights, measured with {analysis.adapter}" if analysis.adapter else "measured"
    return f"{of} in {analysis.calls} calls of the network\n{table(analysis_rows(analysis), ANALYSIS_HEADER)}"


def analysis_rows(analysis: NetworkAnalysis) -> list[tuple[str, ...]]:
    """Return a row for each output axis that follows an input axis."""
    return [
        (
            f"{axis.inputs[0][0]}.{axis.axis}",
            str(axis.size),
            "none found" if axis.stride is None else str(axis.stride),
            f"{output.tensor}.{output.axis}",
            "the whole axis" if output.halo is None else str(output.halo),
        )
        for axis in analysis.axes
        for output in axis.outputs
    ]
