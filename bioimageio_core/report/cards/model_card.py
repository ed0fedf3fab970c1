"""The card of a model: what it takes, gives and needs."""

from __future__ import annotations

from typing import Any

import attrs

from ...model_tests.remembered_tests import LastTest
from ...prediction.geometry.network_geometry import NetworkAnalysis
from ...prediction.geometry.shortfalls import Shortfall
from .lines_to_copy import lines_to_copy
from .network_table import NETWORK_HEADER, network_rows
from .resource_card import ResourceCard
from .tensor_card import OpCard, TensorCard
from .tensor_drawing import draw_tensors

__all__ = ["ModelCard", "WeightsCard"]


@attrs.frozen(kw_only=True)
class WeightsCard:
    """The weights of a model in one format."""

    weights_format: str
    source: str
    size: int | None
    """Bytes of the file; None if it is not on this machine."""

    adapter: str
    """The adapter that runs the weights here; empty if none does."""

    why_not: str
    """Why the weights cannot be run here; empty if they can."""

    carries_code: bool
    """Whether the weights contain a program, as TorchScript does."""


@attrs.frozen(kw_only=True, repr=False)
class ModelCard(ResourceCard):
    """A model at a glance."""

    run_mode: OpCard | None
    """The run mode, in the form of an op; None: one call of the network per block."""

    inputs: tuple[TensorCard, ...]
    outputs: tuple[TensorCard, ...]
    weights: tuple[WeightsCard, ...]
    measured: NetworkAnalysis | None = None
    """Measured sizes, stride and halo of the network, from the cache; None if the network was not measured."""

    shortfalls: tuple[Shortfall, ...] = ()
    """Where the description gives less than was measured, such as a smaller halo."""

    last_test: LastTest | None = None
    """What the last test of the model on this machine said; None if there was none."""

    def as_dict(self) -> dict[str, Any]:
        """Return the card as plain data for JSON; covers and documentation by name only."""
        return {
            **super().as_dict(),
            "run_mode": None if self.run_mode is None else self.run_mode.as_dict(),
            "inputs": [t.as_dict("preprocessing") for t in self.inputs],
            "outputs": [t.as_dict("postprocessing") for t in self.outputs],
            "weights": [
                {
                    "weights_format": w.weights_format,
                    "source": w.source,
                    "size": w.size,
                    "runs_here": not w.why_not,
                    "adapter": w.adapter or None,
                    "why_not": w.why_not,
                    "carries_code": w.carries_code,
                }
                for w in self.weights
            ],
            "measured": None if self.measured is None else self.measured.as_dict(),
            "shortfalls": [s.as_dict() for s in self.shortfalls],
            "last_test": None if self.last_test is None else self.last_test.as_dict(),
        }

    def _page_data(self) -> dict[str, Any]:
        """Return what the template shows besides the card: a table of the measured network, and a drawing of each tensor."""
        return {
            **super()._page_data(),
            "is_model": True,
            "use": lines_to_copy(self.source, [t.id for t in self.inputs if not t.optional], self.outputs[0].id),
            "measured": (NETWORK_HEADER, network_rows(self.measured, self.outputs)),
            "drawings": draw_tensors(self.inputs, self.outputs),
        }
