"""The folder of the cache of users without a home: nobody else can have filled it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bioimageio_core.errors import SourceError
from bioimageio_core.sources.cache_folder import default_cache_folder
from bioimageio_core.sources.remembered_results import recall_result, remember_result

pytestmark = pytest.mark.skipif(os.name == "nt", reason="temporary files are those of one user on Windows")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folder is to be, for a user without a home."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("BMZ_CACHE")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / f"bioimageio_runtime-{os.geteuid()}"


def test_made_for_one(place: Path) -> None:
    """It is made for the user alone, and found again."""
    assert default_cache_folder() == place
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    (place / "content").mkdir()
    assert default_cache_folder() == place


def open_to_all(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def a_link(place: Path) -> None:
    (place.parent / "elsewhere").mkdir()
    place.symlink_to(place.parent / "elsewhere")


def of_another(place: Path) -> None:
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    os.chown(place, 12345, -1)


@pytest.mark.parametrize("prepare", [open_to_all, a_link, of_another, Path.touch])
def test_prepared_by_another(place: Path, prepare: Callable[[Path], None]) -> None:
    """It is refused, with the way out; results about networks are neither taken from it nor put there."""
    prepare(place)
    with pytest.raises(SourceError, match=r"another user made it or may write to it: .* BMZ_CACHE"):
        default_cache_folder()
    remember_result(["network"], {"halo": 3})
    assert recall_result(["network"]) is None
