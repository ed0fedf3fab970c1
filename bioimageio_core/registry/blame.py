"""Names the plugin whose code fails: its errors become one sentence of this library."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import BioimageioError, PluginError
from ..text import in_brief

__all__ = ["blamed"]


@contextmanager
def blamed(what: str, *, passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Run code of a plugin in a ``with`` block; what it raises becomes a `PluginError` that names it, ``sys.exit()`` included.

    Errors of this library pass, and so do those of memory, since they are not the plugin's.

    Args:
        what: The part of the plugin, as `Registry.words_for` returns it, and what it is called for.
        passing: Further errors that pass, since the caller puts them in words.

    Raises:
        PluginError: The code raises another error.

    """
    try:
        yield
    except (BioimageioError, MemoryError):
        raise
    except passing:
        raise
    except (Exception, SystemExit) as error:  # the code of plugins may raise anything
        *_, (frame, line) = traceback.walk_tb(error.__traceback__)
        raise PluginError(f"{what} fails: {in_brief(error, named=True)} ({frame.f_code.co_filename}, line {line})") from error
