"""Finds channels by name or number."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from .errors import ChannelError

__all__ = ["channel_positions"]


def channel_positions(wanted: int | str | Sequence[int | str], *, names: Sequence[str] | None, count: int, image: str) -> tuple[int, ...]:
    """Return the positions of channels.

    Text is a name first, so that ``488`` is the channel of this name if there is one, and may be several names with commas between them;
    names may contain commas themselves. Upper and lower case, and blanks around a name, matter only if names differ by nothing else.
    Text that is no name is a number; a number that is no position is a name, as of the wavelength 488.

    Args:
        wanted: A number (negative ones count from the end), text, or a sequence of these.
        names: Names of all channels, if they have names.
        count: Number of channels.
        image: Name of the image, for messages.

    Raises:
        ChannelError: There is no such channel, or several have this name; the message lists the channels.

    """
    known = tuple(names or ())
    listed = f" ({', '.join(known)})" if known else ""
    described = f"{image} has {count} channel{'s' * (count != 1)}{listed}, counted from 0"
    found: list[int] = []
    for one in wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]:
        if isinstance(one, str):
            found.extend(_of_text(one, known, count, described))
        elif isinstance(one, int | np.integer) and not isinstance(one, bool) and -count <= one < count:
            found.append(int(one) % count)
        elif isinstance(one, int | np.integer) and str(one) in known:
            found.extend(_of_text(str(one), known, count, described))
        else:
            raise ChannelError(f"{described}: found {one!r}")
    return tuple(found)


def _of_text(text: str, names: tuple[str, ...], count: int, described: str) -> list[int]:
    parts, found = text.split(","), list[int]()
    while parts:
        for length in range(len(parts), 0, -1):  # the longest name first, since names may contain commas
            position = _of_name(",".join(parts[:length]), names, described)
            if position is not None:
                break
        else:
            length, position = 1, _of_number(parts[0], count)
        if position is None:
            raise ChannelError(f"{described}: found {parts[0].strip()!r}")
        found.append(position)
        parts = parts[length:]
    return found


def _of_name(text: str, names: tuple[str, ...], described: str) -> int | None:
    for plain in (str, str.strip, _without_case):
        fitting = [n for n, name in enumerate(names) if plain(name) == plain(text)]
        if len(fitting) > 1:
            raise ChannelError(f"{described}: channels {' and '.join(map(str, fitting))} are both named {text.strip()!r}, give the number")
        if fitting:
            return fitting[0]
    return None


def _without_case(text: str) -> str:
    return text.strip().casefold()


def _of_number(text: str, count: int) -> int | None:
    number = int(text) if re.fullmatch(r"\s*-?\d+\s*", text) else None
    return number % count if number is not None and -count <= number < count else None
