"""Converted weights as text."""

from __future__ import annotations

from ...conversion import ConvertedWeights
from ..plain_text import table

__all__ = ["converted_text"]


def converted_text(converted: ConvertedWeights) -> str:
    """Return by how much outputs deviate, and where the package is."""
    rows = [
        (
            o.output,
            f"{converted.deviations[o.output]:.3g}" if o.output in converted.deviations else "not compared",
            f"{o.greatest_deviation:.3g}",
        )
        for o in converted.test.outputs
    ]
    deviations = table(rows, ("output", f"from {converted.from_format}", "from the test output"))
    return f"{deviations}\n{converted.path}: {converted.to_format} from {converted.from_format}, by {converted.converter}"
