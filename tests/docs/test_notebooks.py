"""The notebooks of the documentation run in a real kernel, and what they show is sound; in a browser, too, where there is one."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest
from fragment_reader import FragmentReader
from notebook_kernel import run_cells

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
NOTEBOOKS = ("first-prediction", "large-volume")
THEMES = {
    "light": {"--jp-content-font-color0": "rgba(0, 0, 0, 0.87)", "--jp-layout-color0": "#ffffff"},
    "dark": {"--jp-content-font-color0": "#ffffff", "--jp-layout-color0": "#111111"},
}
"""Variables of the themes of JupyterLab that fragments use, and the ground that they are shown on."""

LAB = """
.out { font: 14px system-ui, sans-serif; margin: 0 0 12px; }
.out table { border-collapse: collapse; font-size: 12px; table-layout: fixed; margin: 0 auto 1em; }
.out td, .out th { text-align: right; padding: 0.5em; }
.out dt { font-weight: bold; float: left; width: 20%; }
.out dd { padding-left: 20%; }
.out img { max-width: 100%; }
"""
"""Styles that JupyterLab has for the HTML of outputs, and that fragments must not take."""


def cells(name: str) -> list[dict[str, Any]]:
    """Return the cells of a notebook."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return found


@pytest.fixture(scope="module", params=NOTEBOOKS)
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[list[dict[str, Any]]]]:
    """The name of a notebook, and the outputs of its cells."""
    code = ["".join(cell["source"]) for cell in cells(request.param) if cell["cell_type"] == "code"]
    outputs, _ = run_cells(*code, folder=str(tmp_path_factory.mktemp(request.param)))
    return request.param, outputs


def fragments(outputs: list[list[dict[str, Any]]]) -> Iterator[str]:
    """Yield the HTML and the pictures that cells show."""
    for cell in outputs:
        for output in cell:
            data = output.get("data", {})
            if "text/html" in data:
                yield data["text/html"]
            elif "image/png" in data:
                base64.b64decode(data["image/png"])
                yield f'<img src="data:image/png;base64,{data["image/png"]}">'
            elif "text/plain" in data:
                yield f"<pre>{escape(data['text/plain'])}</pre>"


class TestNotebooks:
    """docs/notebooks."""

    def test_shows(self, shown: tuple[str, list[list[dict[str, Any]]]]) -> None:
        """Fragments without requests, of limited size, and no errors or warnings."""
        _, outputs = shown
        found = list(fragments(outputs))
        assert len(found) >= 5
        for html in found:
            if html.startswith("<div"):
                FragmentReader(html)
                assert len(html) < 700_000
        streams = [output for cell in outputs for output in cell if output["output_type"] == "stream"]
        assert not [output["text"] for output in streams if output["name"] == "stderr"]

    @pytest.mark.parametrize("name", NOTEBOOKS)
    def test_kept_without_results(self, name: str) -> None:
        """The notebooks hold no results, which would be those of another run."""
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells(name))


@pytest.mark.skipif("BMZ_SCREENSHOTS" not in os.environ, reason="BMZ_SCREENSHOTS does not name a folder for screenshots")
class TestInABrowser:
    """Fragments as a browser shows them, in the light and the dark theme of JupyterLab."""

    @pytest.mark.parametrize("theme", THEMES)
    def test_fits_and_is_legible(self, shown: tuple[str, list[list[dict[str, Any]]]], theme: str) -> None:
        """Nothing is requested, nothing is cut off, text has contrast, and each slice shows its picture."""
        playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
        name, outputs = shown
        variables = ";".join(f"{key}: {value}" for key, value in THEMES[theme].items())
        ground, ink = THEMES[theme]["--jp-layout-color0"], THEMES[theme]["--jp-content-font-color0"]
        body = "".join(f'<div class="out">{html}</div>' for html in fragments(outputs))
        light = str(theme == "light").lower()
        html = (
            f'<!doctype html><meta charset="utf-8"><style>{LAB}</style>'
            f'<body data-jp-theme-light="{light}" style="{variables}; background: {ground}; color: {ink}; margin: 12px">{body}'
        )
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path=os.environ.get("BMZ_CHROMIUM"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 860, "height": 600})
            requested: list[str] = []
            page.on("request", lambda request: requested.append(request.url))
            page.set_content(html)
            folder = Path(os.environ["BMZ_SCREENSHOTS"])
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(folder / f"{name}-{theme}.png"), full_page=True)
            assert not [url for url in requested if not url.startswith("data:")]
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            for fragment in page.query_selector_all(".bmz"):
                colour = fragment.evaluate("element => getComputedStyle(element).color")
                assert _contrast(colour, ground) > 4.5
            for control in page.query_selector_all(".bmz-choice label"):
                control.click()
                stacks = page.query_selector_all(".bmz-stack")
                assert [stack.evaluate(VISIBLE) for stack in stacks] == [1] * len(stacks)
            for summary in page.query_selector_all("summary"):
                summary.click()
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            browser.close()


VISIBLE = "stack => [...stack.querySelectorAll('img')].filter(one => getComputedStyle(one).display !== 'none').length"
"""Counts the pictures of a panel that are shown."""


def _contrast(colour: str, ground: str) -> float:
    """Return the contrast of a colour, as ``rgba(0, 0, 0, 0.87)``, on an opaque ground as ``#ffffff``, as WCAG defines it."""
    below = [int(ground[n : n + 2], 16) for n in (1, 3, 5)]
    *rgb, alpha = [*map(float, colour.partition("(")[2].rstrip(")").split(",")), 1.0][:4]
    above = [alpha * one + (1 - alpha) * other for one, other in zip(rgb, below, strict=True)]
    low, high = sorted(map(_luminance, (above, below)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: list[float] | list[int]) -> float:
    linear = [c / 255 / 12.92 if c / 255 <= 0.03928 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
