"""Python functions that users name to take the place of macros."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

from bioimageio_core.errors import InputError

__all__ = ["function_for"]

VARIABLE = "BMZ_MACRO_FUNCTIONS"


def function_for(name: str) -> Callable[[Any], Any] | None:
    """Return the function that the user names for a macro: ``NAME=MODULE:FUNCTION``, several of them with commas between.

    It is called with float32 pixels, y and x last, and returns as many.

    Raises:
        InputError: The name is not that of a function, or the variable is of another form.

    """
    for part in filter(None, os.environ.get(VARIABLE, "").split(",")):
        macro, equals, place = (p.strip() for p in part.partition("="))
        module, colon, attribute = place.partition(":")
        if not (equals and colon and module and attribute):
            raise InputError(f"{VARIABLE} holds {part.strip()!r}: expected NAME=MODULE:FUNCTION")
        if macro != name:
            continue
        try:
            found = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise InputError(f"{VARIABLE} names {place!r} for the macro {name!r}, which cannot be imported: {error}") from None
        if not callable(found):
            raise InputError(f"{VARIABLE} names {place!r} for the macro {name!r}: expected a function, found {type(found).__name__}")
        return found  # type: ignore[no-any-return]
    return None
