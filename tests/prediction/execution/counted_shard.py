"""Predict a shard in a separate process, together with other shards, and count the elements that it measures."""

from __future__ import annotations

import json
import sys
import time
from math import prod
from pathlib import Path
from typing import Any

import bioimageio_core as bc
from bioimageio_core.prediction.execution.measurement import MeasureJob


def main() -> None:
    """Wait until all shards are ready, predict, and print what was measured."""
    model, image, output, number, count, ready = sys.argv[1:7]
    elements = 0
    measure = MeasureJob._measure

    def counted(self: MeasureJob, task: int) -> Any:
        nonlocal elements
        first = task * self.units_per_task
        for box in range(first, min(first + self.units_per_task, self.units)):
            _, start, stop = self._box(box)
            elements += prod(b - a for a, b in zip(start, stop, strict=True))
        time.sleep(0.05)  # so that no process takes all tasks before the others have begun
        return measure(self, task)

    MeasureJob._measure = counted  # type: ignore[method-assign]
    (Path(ready) / number).touch()
    while len(list(Path(ready).iterdir())) < int(count):
        time.sleep(0.01)
    prediction = bc.predict(model, image, output, shard=(int(number), int(count)), workers=1, block={"y": 1024, "x": 1024})
    print(json.dumps({"finished": prediction.finished, "statistics": dict(prediction.statistics), "elements": elements}))


if __name__ == "__main__":
    main()
