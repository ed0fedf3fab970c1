"""Progress where there is no terminal, as in the log of a batch system: a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from ..report.plain_text import seconds_in_words

__all__ = ["SECONDS_APART", "progress_lines"]

SECONDS_APART = 10.0


def progress_lines(say: Callable[[str], None], *, apart: float = SECONDS_APART) -> Callable[[str, int, int], None]:
    """Return a callback for progress that says one line every ten seconds, and none for what is quicker.

    Args:
        say: Called with a line, as in ``regions: 120 of 1000, about 3 min left``.
        apart: Seconds between lines.

    """
    lock = Lock()
    begun: dict[str, float] = {}
    last = time.monotonic()

    def show(stage: str, done: int, total: int) -> None:
        nonlocal last
        with lock:
            now = time.monotonic()
            since = begun.setdefault(stage, now)
            if now - last < apart:
                return
            last = now
            left = f", about {seconds_in_words((now - since) / done * (total - done))} left" if 0 < done < total else ""
            say(f"{stage}: {done} of {total}{left}" if total > 1 else f"{stage} ...")

    return show
