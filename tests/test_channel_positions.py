"""Channels by name first, then by number."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.channel_positions import channel_positions
from bioimageio_core.errors import ChannelError
from bioimageio_core.io.reading.image_opening import open_image

LASERS = ("405", "488", "561")


def found(wanted: object, names: tuple[str, ...] | None, count: int = 3) -> tuple[int, ...]:
    """Return the positions."""
    return channel_positions(wanted, names=names, count=count, image="cells")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "names", "expected"),
    [
        ("488", LASERS, (1,)),
        ("1", LASERS, (1,)),  # no channel of this name, so a number
        (1, LASERS, (1,)),
        (-1, LASERS, (2,)),
        ("0", ("2", "1", "0"), (2,)),  # the name comes first
        (0, ("2", "1", "0"), (0,)),
        (488, LASERS, (1,)),  # no position, so a name
        (np.int64(2), LASERS, (2,)),
        ("561,405", LASERS, (2, 0)),
        (["561", 0], LASERS, (2, 0)),
        ("Alexa 405, high", ("Alexa 405, high", "488", "x"), (0,)),
        ("x,Alexa 405, high", ("Alexa 405, high", "488", "x"), (2, 0)),
        ("dapi", ("DAPI", "gfp", "Cy5 "), (0,)),
        ("Cy5", ("DAPI", "gfp", "Cy5 "), (2,)),
        ("GFP", ("gfp", "GFP", "x"), (1,)),  # exact before without case
        ("0, 2", None, (0, 2)),
    ],
)
def test_found(wanted: object, names: tuple[str, ...] | None, expected: tuple[int, ...]) -> None:
    """By name, by number, and several."""
    assert found(wanted, names) == expected


@pytest.mark.parametrize(
    ("wanted", "names", "message"),
    [
        ("DAPI", ("DAPI", "DAPI", "GFP"), "channels 0 and 1 are both named 'DAPI', give the number"),
        ("Gfp", ("gfp", "GFP", "x"), "channels 0 and 1 are both named 'Gfp'"),
        ("red", LASERS, r"3 channels \(405, 488, 561\), counted from 0: found 'red'"),
        (3, LASERS, "found 3"),
        ("3", None, "found '3'"),
        (1.5, None, "found 1.5"),
        (True, None, "found True"),
    ],
)
def test_refused(wanted: object, names: tuple[str, ...] | None, message: str) -> None:
    """With the channels, in one sentence."""
    with pytest.raises(ChannelError, match=message):
        found(wanted, names)


@given(names=st.lists(st.text("abc, ", min_size=1).filter(str.strip), min_size=1, max_size=5, unique_by=lambda n: n.strip().casefold()))
def test_every_channel_is_found_by_its_name(names: list[str]) -> None:
    """Whatever the name, as long as no other is like it."""
    for number, name in enumerate(names):
        assert found(name, tuple(names), len(names)) == (number,)


def test_selected_of_an_image() -> None:
    """The pixels are those of the channel of that name."""
    image = open_image(np.arange(3)[:, None, None] * np.ones((3, 4, 5)), axes="cyx")
    named = attrs.evolve(image, channel_names=LASERS)
    assert named.select("channel", "488").read((slice(None),) * 3).max() == 1
    assert named.select("channel", "561,405").channel_names == ("561", "405")
