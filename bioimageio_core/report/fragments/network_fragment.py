"""The geometry of a network in a notebook."""

from __future__ import annotations

from ...prediction.geometry.network_geometry import NetworkAnalysis
from ..html.fragment import Fragment, FragmentTable
from ..text.network_text import ANALYSIS_HEADER, analysis_rows, network_text

__all__ = ["network_fragment"]


def network_fragment(analysis: NetworkAnalysis) -> Fragment:
    """Return sizes that a network takes, its stride, and the halo that outputs need."""
    return Fragment(
        kind="network",
        title=f"{analysis.weights_format} weights" if analysis.weights_format else "",
        facts=(("measured with", analysis.adapter), ("calls", str(analysis.calls))),
        tables=(FragmentTable(header=ANALYSIS_HEADER, rows=tuple(analysis_rows(analysis))),),
        more=network_text(analysis),
        repeats=True,
    )
