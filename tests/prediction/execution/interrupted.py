"""Predict in a process that is killed, or resume a run. Arguments: a model, an image, an output, and options as JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import bioimageio_core as bc
from bioimageio_core.io.writing.unsynced_writes import UnsyncedWrites


def main() -> None:
    """Predict; kill this process at a progress report of the stage ``kill_stage``.

    Each task waits for its marker: these runs are shorter than the time for which markers are put off.
    """
    UnsyncedWrites.due = True  # type: ignore[assignment,method-assign]
    model, image, output, text = sys.argv[1:5]
    options: dict[str, Any] = json.loads(text)
    stage, after = options.pop("kill_stage", None), options.pop("kill_after", 0)

    def progress(now: str, done: int, total: int) -> None:
        if stage is not None and now.startswith(stage) and done >= after:
            os.kill(os.getpid(), signal.SIGKILL)

    prediction = bc.predict(model, image, output, progress=progress, **options)
    print(json.dumps({"finished": prediction.finished, "done_before": prediction.done_before}))


if __name__ == "__main__":
    main()
