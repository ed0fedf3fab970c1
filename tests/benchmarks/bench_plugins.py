"""Processor time of collecting plugins. Promised: 0.1 s for a hundred of them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests share

from made_sites import MEASURE_COLLECTING, Site
from measuring import report


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        site.install_dummies(100)
        figures = site.python(MEASURE_COLLECTING)
    assert figures["ops"] == 100
    report("collecting 100 plugins", seconds_over_none=figures["all"] - figures["own"], none=figures["own"])


if __name__ == "__main__":
    main()
