"""What the tests really ran: which weights, of which models, on which frameworks.

Tests call `record_run` when they have compared a network with what its framework, or the description, says.
Sessions of nox name a file in the environment variable BMZ_RUNS; their records are checked, and make the table in the documentation.
"""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Literal

Way = Literal["in memory", "out of core", "test tensors", "converted"]


def record_run(weights_format: str, model: str, way: Way, *frameworks: str) -> None:
    """Add a line to the records, where they are wanted.

    Args:
        weights_format: As descriptions name it; of converted weights ``parent -> format``.
        model: A short name of the model, the same in every run.
        way: How it was run.
        frameworks: Names of the distributions that ran it, such as ``torch``; their versions are looked up.

    """
    path = os.environ.get("BMZ_RUNS")
    if path:
        record = {
            "weights_format": weights_format,
            "model": model,
            "way": way,
            "frameworks": {name: version(name) for name in frameworks},
            "python": ".".join(platform.python_version_tuple()[:2]),
        }
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
