"""What the command line prints of a prediction."""

from __future__ import annotations

from bioimageio_core.prediction.output.result import Prediction
from bioimageio_core.report.text.prediction_text import times_in_words


class TestTimes:
    """Seconds by stage."""

    def test_which_are_summed(self) -> None:
        """Only stages of regions, which workers go through at the same time, are summed over workers; short ones are left out."""
        times = {"statistics": 1.25, "read": 2.0, "predict": 30.0, "write": 0.01, "label": 148.0, "total": 170.0}
        found = times_in_words(Prediction({}, plan=None, statistics={}, nan_counts={}, times=times))
        assert found == "170.0 s (statistics 1.2 s; label 148.0 s; summed over workers: read 2.0 s, predict 30.0 s)"

    def test_nothing_to_name(self) -> None:
        """Without stages that take time there are no brackets."""
        assert times_in_words(Prediction({}, plan=None, statistics={}, nan_counts={}, times={"read": 0.0, "total": 0.2})) == "0.2 s"
