"""What is tested is what was built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import bioimageio_core


def test_wheel_is_tested() -> None:
    """Under nox the package comes from the installed wheel, not from the checkout."""
    if not os.environ.get("BMZ_INSTALLED"):
        pytest.skip("BMZ_INSTALLED is not set: the checkout may be tested")
    assert "site-packages" in Path(bioimageio_core.__file__).parts
