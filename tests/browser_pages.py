"""What holds for each page in a browser: nothing is fetched from elsewhere, nothing is cut, and axe finds no serious fault."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

__all__ = ["BROWSER", "check_page"]

BROWSER = os.environ.get("BMZ_CHROMIUM", "")
"""Path of a Chromium; empty without one."""

WIDE = """
() => [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 3).map(one => one.outerHTML.slice(0, 120))
"""
"""Lists elements that reach beyond the window."""


def check_page(browser: Any, page_file: Path, width: int, scheme: str, picture: str | None = None) -> None:
    """Open a page in a window of a width, light or dark, and check it.

    Args:
        browser: A browser of playwright.
        page_file: The page.
        width: Pixels of the window.
        scheme: ``light`` or ``dark``.
        picture: Name of a picture of the page, in the folder that the environment variable BMZ_SCREENSHOTS names.

    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    try:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        if picture is not None and os.environ.get("BMZ_SCREENSHOTS"):
            page.screenshot(path=str(Path(os.environ["BMZ_SCREENSHOTS"]) / f"{picture}-{width}-{scheme}.png"), full_page=True)
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.evaluate(WIDE)
        found = axe.run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")] == []
    finally:
        context.close()
