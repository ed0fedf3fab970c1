"""Pages of the built documentation, in a real browser.

The session ``pages`` of nox builds them; the environment variable BMZ_DOCS names their folder, BMZ_CHROMIUM a Chromium.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from browser_pages import BROWSER, check_page

FOLDER = Path(os.environ.get("BMZ_DOCS", ""))
pytestmark = pytest.mark.skipif(not (BROWSER and os.environ.get("BMZ_DOCS")), reason="BMZ_DOCS names no built pages: nox -s pages")

ON_A_PHONE, ON_A_SCREEN = (390, "light"), (1200, "dark")
ALL_WAYS = [(width, scheme) for width in (390, 1200) for scheme in ("light", "dark")]
EACH_WAY = ("index", "outputs", "tutorials/counting", "tutorials/first-prediction", "genindex", "search")
"""Pages that are opened at both widths, light and dark: each kind of page."""

SLOW = ("api",)
"""Pages so long that axe takes half a minute for them; they are opened once."""


def page_names() -> list[str]:
    """Return the names of all pages; none where none are built."""
    return (
        sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.html")) if os.environ.get("BMZ_DOCS") else []
    )


def ways(name: str) -> list[tuple[int, str]]:
    """Return the widths and colours in which a page is opened: two that have all widths and colours, or all of them."""
    return ALL_WAYS if name in EACH_WAY else [ON_A_PHONE] if name in SLOW else [ON_A_PHONE, ON_A_SCREEN]


def test_all_are_built() -> None:
    """The pages are there, and those that are named above are some of them."""
    assert {*EACH_WAY, *SLOW} <= set(page_names())


@pytest.mark.parametrize(("name", "width", "scheme"), [(name, *way) for name in page_names() for way in ways(name)])
def test_page(browser: Any, name: str, width: int, scheme: str) -> None:
    """On a phone and on a screen: nothing is fetched, nothing is cut, and axe finds no serious fault."""
    check_page(browser, FOLDER / f"{name}.html", width, scheme, picture=f"docs-{name.replace('/', '-')}" if name in EACH_WAY else None)
