"""A browser without a window, whose graphics are computed by the processor."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

ARGUMENTS = (
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--no-sandbox",
    "--disable-background-networking",
)
TRIES = 240
"""Times that a test looks whether everything is drawn, each half a second after the other."""


class Page:
    """A page of neuroglancer."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self.asked: list[str] = []
        """URLs that the page asked for."""
        self.errors: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, url: str) -> None:
        """Open a view, and wait until all is drawn."""
        self._page.goto(url)
        self.wait()

    def change(self, **state: Any) -> None:
        """Change the state of the viewer, as its controls do, and wait until all is drawn."""
        self._page.evaluate("changed => viewer.state.restoreState({...viewer.state.toJSON(), ...changed})", state)
        self.wait()

    def state(self) -> Any:
        """Return the state of the viewer."""
        return json.loads(self._page.evaluate("() => JSON.stringify(viewer.state.toJSON())"))  # without what is undefined

    def wait(self) -> None:
        """Wait until all pixels are drawn."""
        for _ in range(TRIES):
            self._page.wait_for_timeout(500)
            if self._page.evaluate("() => viewer.layerManager.managedLayers.length > 0 && viewer.isReady()"):
                self._page.wait_for_timeout(500)
                return
        raise AssertionError(f"not drawn: {self.errors}")

    def text(self) -> str:
        """Return the text of the page."""
        return str(self._page.inner_text("body"))

    def pixels(self) -> np.ndarray:
        """Return what is seen, with axes y, x, rgb."""
        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(self._page.screenshot())).convert("RGB"))

    def pixel(self, y: float, x: float) -> tuple[int, ...]:
        """Return the colour where a position of the image is seen in a view of one plane, counted in pixels of the first layer."""
        state = self.state()
        panel = self._page.evaluate(
            "() => { const p = [...viewer.display.panels][0].element.getBoundingClientRect(); return [p.left, p.top, p.width, p.height]; }"
        )
        left, top, width, height = panel
        scales = [state["dimensions"][axis][0] for axis in "xyz"]
        column, row = (
            middle + (at - state["position"][n]) * scales[n] / min(scales) / state.get("crossSectionScale", 1)
            for n, (middle, at) in enumerate([(left + width / 2, x), (top + height / 2, y)])
        )
        return tuple(int(part) for part in self.pixels()[round(row), round(column)])

    def outside(self) -> list[str]:
        """Return URLs that the page asked for that are not of this machine."""
        return [
            url for url in self.asked if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname != "127.0.0.1"
        ]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium of this machine; BMZ_CHROMIUM names another one."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: nox -s viewer")
    place = os.environ.get("BMZ_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if place is None:
        pytest.skip("no Chromium on this machine (Debian: chromium); BMZ_CHROMIUM names one")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=place, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    """An empty page."""
    opened = browser.new_page(viewport={"width": 1200, "height": 800})
    yield Page(opened)
    opened.close()
