"""Pages that this library writes, in a real browser.

The session ``pages`` of nox installs playwright and axe; the environment variable BMZ_CHROMIUM names a Chromium, BMZ_SCREENSHOTS a folder
for pictures of the pages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_pages import BROWSER, check_page
from made_models import box_model, pointwise_model, with_test_tensors

import bioimageio_core as bc
from bioimageio_core.report.cards.annotated_report import annotate, unreadable_report, validation_page
from bioimageio_core.report.html.model_test_page import model_test_page

pytestmark = pytest.mark.skipif(not BROWSER, reason="BMZ_CHROMIUM names no Chromium: nox -s pages")

IMAGE = np.random.default_rng(0).random((1, 1, 64, 64), dtype=np.float32)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each kind of page that this library writes, of a model that passes and of one that does not."""
    folder = tmp_path_factory.mktemp("pages")
    right, wrong = folder / "right", folder / "wrong"
    right.mkdir()
    wrong.mkdir()
    with_test_tensors(pointwise_model(right), {"raw": IMAGE}, {"out": IMAGE})
    with_test_tensors(box_model(wrong, {"min": 16, "step": 1}, halo=1, filter_size=5), {"raw": IMAGE}, {"out": IMAGE})
    broken = b"type: model\nname: a broken one\nformat_version: 0.5.4\nauthors: 3\n"
    made = {
        "test": model_test_page(bc.test_model(right)),
        "failed-test": model_test_page(bc.test_model(wrong)),
        "card": bc.card(right).page(),
        "card-of-failed": bc.card(wrong).page(),
        "run": bc.predict(wrong, IMAGE[0, 0], axes="yx", pixel_size=0.5, block=32).page(),
        "validation": validation_page(
            [annotate(bc.validate(broken), broken), annotate(bc.validate(right), b""), unreadable_report("/a/long/path/" * 9, "gone")]
        ),
    }
    return {name: _written(folder / f"{name}.html", text) for name, text in made.items()}


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


NAMES = ("test", "failed-test", "card", "card-of-failed", "run", "validation")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("name", NAMES)
def test_page(browser: Any, pages: dict[str, Path], name: str, width: int, scheme: str) -> None:
    """On a phone and on a screen, light and dark."""
    check_page(browser, pages[name], width, scheme, picture=name)
