"""Progress where there is no terminal, as in the log of a batch system: a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from ..text import seconds_in_words

__all__ = ["SECONDS_APART", "progress_lines"]

SECONDS_APART = 10.0


def progress_lines(say: Callable[[str], None], *, apart: float = SECONDS_APART) -> Callable[[str, int, int], None]:
    """Return a callback for progress that says one line every ten seconds, and none for what is quicker.

    Args:
        say: Called with a line, as in ``regions: 120 of 1000, about 3 min left``.
        apart: Seconds between lines.

    """
    lock = Lock()
    begun: dict[str, tuple[float, int]] = {}
    last = time.monotonic()

    def show(stage: str, done: int, total: int) -> None:
        nonlocal last
        with lock:
            now = time.monotonic()
            since, before = begun.setdefault(stage, (now, done))
            if now - last < apart or done >= total > 1:
                return
            last = now
            moved = done - before  # what an earlier run had done took no time of this one
            left = f", about {seconds_in_words((now - since) / moved * (total - done))} left" if moved > 0 and done < total else ""
            say(f"{stage}: {done} of {total}{left}" if total > 1 else f"{stage} ...")

    return show
