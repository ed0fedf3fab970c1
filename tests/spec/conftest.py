"""What the tests of descriptions share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpus import Several, Verdict, built_in_registry, read_verdicts

from bioimageio_core.registry import Registry
from bioimageio_core.spec.yaml import load_yaml


@pytest.fixture(scope="session")
def registry() -> Registry:
    return built_in_registry()


@pytest.fixture(scope="session")
def verdicts(shared: Path) -> tuple[Verdict, ...]:
    """Every real description that is YAML, of any type and version."""
    return read_verdicts(shared)


@pytest.fixture(scope="session")
def model_verdicts(verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Every real model description of format 0.4 and 0.5."""
    return Several(v for v in verdicts if v.type == "model" and v.format_version[:4] in ("0.4.", "0.5."))


@pytest.fixture
def model(shared: Path) -> dict[str, Any]:
    """The tree of a valid model of format 0.5."""
    return load_yaml((shared / "models" / "unet2d_nuclei_broad" / "bioimageio.yaml").read_bytes())


@pytest.fixture
def old_model(shared: Path) -> dict[str, Any]:
    """The tree of a valid model of format 0.4."""
    return load_yaml((shared / "models" / "upsample_test_model" / "v0_4.bioimageio.yaml").read_bytes())
