"""Bars of progress in notebooks, in a real kernel; those of terminals are in tests/cli."""

from __future__ import annotations

from pathlib import Path

from made_models import box_model
from notebook_kernel import run_cells

MANY = """
import time
from bioimageio_core.progress import progress_bars
with progress_bars() as progress:
    for n in range(2001):
        progress("a < b", n, 2000)
    time.sleep(0.3)
    progress("levels", 1, 2)
"""

CHOICES = """
from bioimageio_core.progress import shown_progress, no_progress
with shown_progress(None) as short, shown_progress(False) as silent, shown_progress(print) as own:
    short("regions", 1, 1)
    silent("regions", 1, 1)
    assert silent is no_progress and own is print
"""


class TestNotebookBars:
    """`progress_bars` in a notebook."""

    def test_one_output_that_is_replaced(self) -> None:
        """Thousands of steps are a few messages, and the cell keeps the last state."""
        (outputs,), messages = run_cells(MANY)
        (output,) = outputs
        html, text = output["data"]["text/html"], output["data"]["text/plain"]
        assert html.count("<progress") == 2
        assert "2000/2000" in html
        assert "1/2" in html
        assert "a &lt; b" in html
        assert "a < b" in text
        assert messages["display_data"] == 1
        assert messages["update_display_data"] < 10

    def test_what_is_short_shows_none(self) -> None:
        """Unless it is asked for; callbacks are taken as they are."""
        (outputs,), _ = run_cells(CHOICES)
        assert not outputs

    def test_a_prediction(self, tmp_path: Path) -> None:
        """Shows the passes of its plan, once, and no output of rich."""
        model = box_model(tmp_path, 4)
        code = (
            "import numpy as np\nimport bioimageio_core as bc\n"
            f"result = bc.predict({str(model)!r}, np.zeros((64, 64), 'float32'), block=32, progress=True)"
        )
        (outputs,), _ = run_cells(code)
        (output,) = [o for o in outputs if o["output_type"] != "stream"]  # warnings are streams
        assert output["data"]["text/html"].count("<progress") >= 1
