"""Which tasks of a sweep are done, recorded beside the unfinished output."""

from __future__ import annotations

import attrs

from ...io import RunState

__all__ = ["CompletionMarker", "RunOver"]


class RunOver(Exception):
    """Another process completed the run, and removed its state."""


@attrs.frozen(kw_only=True)
class CompletionMarker:
    """Where the tasks of one sweep record that they are done; picklable, since tasks do so wherever they run."""

    state: RunState
    stage: str
    """Name of the sweep."""

    def mark(self, task: int, result: bytes = b"") -> None:
        """Record that a task is done, after all that it wrote is complete.

        Args:
            task: Its number.
            result: What other processes that share the sweep need of it.

        """
        self.state.mark(self.stage, task, result)

    def done(self, count: int) -> bytearray:
        """Return a byte for each of ``count`` tasks: 1 where it is done."""
        return self.state.done(self.stage, count)

    def result(self, task: int) -> bytes:
        """Return the result that a task recorded.

        Raises:
            RunOver: The task was done, and its marker is gone: another process completed the run.

        """
        found = self.state.result(self.stage, task)
        if found is None:
            raise RunOver
        return found
