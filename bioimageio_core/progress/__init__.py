"""Progress of what takes long: the callback, and bars in terminals and notebooks that it moves."""

from .callbacks import Progress, ProgressChoice, no_progress
from .shown_progress import in_notebook, progress_bars, shown_progress

__all__ = ["Progress", "ProgressChoice", "in_notebook", "no_progress", "progress_bars", "shown_progress"]
