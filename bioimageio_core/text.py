"""Text of others, cut to what fits a sentence of this library, and names that were probably meant.

Public: plugins quote errors of frameworks with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["close_names", "did_you_mean", "in_brief", "in_one_line", "is_slip_of", "kind_of_object", "seconds_in_words", "without_secrets"]

BRIEF = 300
"""Characters that are kept of an error message of a framework."""


_URL = re.compile(r"(?<![a-z0-9+.-])(?P<scheme>[a-z0-9+.-]+://)(?P<rest>[^\s\"]*)", re.IGNORECASE)
"""A URL begins where its scheme does and takes all that follows, so that each character of a long text is looked at once."""


def without_secrets(text: str) -> str:
    """Return text with its URLs as they may be shown: without user names, passwords, queries and fragments, which may be tokens."""
    return _URL.sub(_without_secrets, text) if "://" in text else text


def _without_secrets(url: re.Match[str]) -> str:
    shown = url["rest"]
    if url["scheme"].lower() != "hf://":  # where a revision follows the @
        shown = shown.rpartition("@")[2]  # user and password may hold any other character
    path = re.split(r"[?#]", shown, maxsplit=1)[0]
    query = shown[len(path) :]
    names = re.findall(r"[?&;]([A-Za-z0-9_.-]+)=", query) if query.startswith("?") else []
    end = query[len(query.rstrip("'\"),.:;")) :]  # what belongs to the sentence
    hidden = "?" + "&".join(f"{name}=..." for name in names) if names else query[:1] + "..." if query else ""
    return url["scheme"] + path + hidden + end


def in_one_line(text: str) -> str:
    """Return text without line breaks and control characters, and with single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def in_brief(error: BaseException | str, *, named: bool = False) -> str:
    """Return the message of an exception of a framework for use within an error message: one line of limited length.

    Args:
        error: The exception, or a part of its text.
        named: Begin with the type of the exception, as is good where its text alone means little (``KeyError``).
            An exception without text is always named.

    """
    text = in_one_line(str(error))[:BRIEF]
    name = type(error).__name__
    return f"{name}: {text}" if named and text else text or name


def seconds_in_words(seconds: float) -> str:
    """Return a duration for people, as in ``3 min``."""
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def kind_of_object(value: object) -> str:
    """Return what a value is, in words for an error message: ``a list``, ``an array of shape (5, 5)``, ``None``."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"an array of shape {tuple(shape)}"
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeioAEIO' else 'a'} {name}"


def close_names(value: object, known: Iterable[object], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the known names that are spelt like a value, the closest first.

    Args:
        value: What was given in place of a name.
        known: The names there are.
        most: How many to return.
        cutoff: Least similarity, from 0 to 1 (equal).

    """
    return get_close_matches(str(value), list(map(str, known)), n=most, cutoff=cutoff)


def did_you_mean(value: object, known: Iterable[object], *, otherwise: str = "", most: int = 1) -> str:
    """Return the question ``did you mean ...?`` with the known names that are spelt like a value, for use at the end of an error message.

    Args:
        value: What was given in place of a name.
        known: The names there are.
        otherwise: What to return where none of them is close.
        most: How many names to ask for.

    """
    close = close_names(value, known, most=most)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else otherwise


def is_slip_of(value: str, name: str) -> bool:
    """Return whether a name was probably meant by a value: they differ in case only, or by one letter that is left out, added or wrong,
    or by two neighbours that are exchanged. Digits are never slips: they tell versions apart.
    """
    if value.lower() == name.lower():
        return value != name
    shorter = min(len(value), len(name))
    begin = next((n for n in range(shorter) if value[n] != name[n]), shorter)
    end = next((n for n in range(shorter - begin) if value[-1 - n] != name[-1 - n]), shorter - begin)
    found, meant = value[begin : len(value) - end], name[begin : len(name) - end]
    one_letter = max(len(found), len(meant)) == 1
    exchanged = len(found) == 2 and found == meant[::-1]
    return (one_letter or exchanged) and not any(letter.isdigit() for letter in found + meant)
