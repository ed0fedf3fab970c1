"""What the tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_models import box_model
from served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A served folder with a model whose description names no hashes."""
    folder = tmp_path / "served"
    folder.mkdir()
    box_model(folder, 16)
    (folder / "abc.bin").write_bytes(b"abc")
    served = Served(folder)
    yield served
    served.close()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty cache."""
    monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
