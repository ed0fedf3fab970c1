"""A browser for pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser_pages import BROWSER

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-component-update")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium."""
    with pytest.importorskip("playwright.sync_api").sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=list(QUIET))
        yield opened
        opened.close()
