"""The final labels of an output, read box by box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ....objects import Numbering, owned_pixels
from ....registry import JoinRule
from ...data.tensor_view import TensorView
from ...output.objects.label_store import StoredWindows
from ..bound_steps import StepChain
from ..run import OutputRun, Run

__all__ = ["JoinedLabels", "joined_view", "labelled_view"]


@attrs.frozen(kw_only=True, eq=False)
class JoinedLabels:
    """Labels of all windows, with the numbers of objects of the complete output."""

    stored: StoredWindows
    numbers: Numbering
    rule: JoinRule

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the numbers."""
        return self.numbers.tables.dtype

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return a box of the pass that labels."""
        windows = self.stored.windows
        box = windows.boxes.number(start)
        core = windows.boxes.box(box)
        if core != (tuple(start), tuple(stop)):
            raise ValueError(f"expected a box of the pass that labels, from {core[0]} to {core[1]}, found {tuple(start)} to {tuple(stop)}")
        if self.rule != "owner":
            return self._of(box)[self.stored.core(box)]
        seen = ((windows.window(other)[0], self._of(other)) for other in (box, *windows.neighbours(box)))
        return owned_pixels(core, seen, dtype=self.dtype)

    def _of(self, box: int) -> NDArray[Any]:
        """Return the ids of objects in the window of a box."""
        ids: NDArray[Any] = self.numbers.table_of(box)[self.stored.read(box)]
        return ids


def joined_view(run: Run, output: OutputRun) -> TensorView:
    """Return the labels of an output, without the steps after the one that labels."""
    planned = output.planned
    step, stored = planned.labelling, output.sinks.windows
    assert step is not None
    assert step.needs.objects is not None
    assert stored is not None
    return TensorView(
        source=JoinedLabels(stored=stored, numbers=run.object_numbers[planned.id], rule=step.needs.objects.join),
        axes=planned.axes,
        shape=planned.shape,
        chunks=planned.unit,
        extra=planned.extra,
        is_picklable=stored.is_picklable,
    )


def labelled_view(run: Run, output: OutputRun) -> TensorView:
    """Return the labels of an output after all its steps."""
    planned = output.planned
    step = planned.labelling
    assert step is not None
    after = planned.late_steps[planned.late_steps.index(step) + 1 :]
    return StepChain(planned.id, joined_view(run, output), after, cut=planned.tensor.axis_ids, binder=run.binder).view_after_all()
