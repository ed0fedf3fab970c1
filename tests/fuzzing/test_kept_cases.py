"""What fuzzing found, and what it begins with: read without any error but those of the library."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing.fuzz_targets import TARGETS

KEPT = Path(__file__).with_name("kept")
CASES = [(name, path) for name in TARGETS for path in sorted((KEPT / name).glob("*"))]


@pytest.mark.parametrize(("name", "path"), CASES, ids=lambda value: value if isinstance(value, str) else value.name)
def test_kept(name: str, path: Path) -> None:
    TARGETS[name].read(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_begins_with(name: str) -> None:
    """Each seed, and each shortened by a half or with a byte changed."""
    for seed in TARGETS[name].seeds:
        for content in (seed, seed[: len(seed) // 2], seed[:100] + b"\xff" + seed[101:], b""):
            TARGETS[name].read(content)
