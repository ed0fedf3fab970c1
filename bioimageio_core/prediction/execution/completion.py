"""Markers of finished tasks, recorded with the unfinished output."""

from __future__ import annotations

import attrs

from ...io import RunState
from ...io.writing.run_state import CompletedElsewhere

__all__ = ["CompletedElsewhere", "CompletionMarker"]


@attrs.frozen(kw_only=True)
class CompletionMarker:
    """Marks finished tasks of one sweep; picklable, since tasks mark themselves in the process in which they run."""

    state: RunState
    stage: str
    """Name of the sweep."""

    def mark(self, task: int, result: bytes = b"") -> None:
        """Mark a task as done, after everything that it wrote is complete.

        A task with a result wrote nothing else. Another one is marked when what it wrote is on the disk, which `sync` waits for.

        Args:
            task: Number of the task.
            result: Its result, for other processes that share the sweep.

        """
        if result:
            self.state.mark(self.stage, task, result)
        else:
            self.state.mark_when_synced(self.stage, task)

    def sync(self) -> None:
        """Wait until everything that this process wrote is on the disk, and its tasks are marked."""
        self.state.sync()

    def unmark(self, task: int) -> None:
        """Remove the marker of a task, so that the task is computed again."""
        self.state.unmark(self.stage, task)

    def check_run(self) -> None:
        """Check that no other process completed the output or started it again.

        Checked after a task has read and before it writes: intermediate results that another process removed read as 0.

        Raises:
            CompletedElsewhere: Another process did.

        """
        self.state.check()

    def done(self, count: int) -> bytearray:
        """Return a byte for each of ``count`` tasks: 1 if it is done, else 0."""
        return self.state.done(self.stage, count)

    def result(self, task: int) -> bytes:
        """Return the recorded result of a task.

        Raises:
            CompletedElsewhere: The marker of the finished task is gone, since another process completed the run.

        """
        found = self.state.result(self.stage, task)
        if found is None:
            raise CompletedElsewhere
        return found
