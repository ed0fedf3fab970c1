"""``bmz cache``."""

from __future__ import annotations

from pathlib import Path

from bmz_process import ForkedBmz


class TestCache:
    """What was fetched from URLs."""

    def test_empty(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """The folder is named, and not made."""
        folder = tmp_path / "cache"
        ran = bmz("cache", env={"BMZ_CACHE": str(folder)})
        assert (ran.status, ran.out) == (0, f"{folder}: 0 files, 0 B\n")
        assert not folder.exists()

    def test_json(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """For machines."""
        ran = bmz("cache", "--json", env={"BMZ_CACHE": str(tmp_path), "BMZ_OFFLINE": "1"})
        assert ran.json == {"path": str(tmp_path), "files": 0, "bytes": 0, "offline": True}

    def test_clear(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """Only what is the cache's own goes."""
        (tmp_path / "content" / "ab").mkdir(parents=True)
        (tmp_path / "content" / "ab" / ("ab" * 32)).write_bytes(b"1234")
        (tmp_path / "mine.txt").write_text("mine")
        env = {"BMZ_CACHE": str(tmp_path)}
        assert bmz("cache", env=env).out == f"{tmp_path}: 1 files, 4 B\n"
        assert bmz("cache", "clear", env=env).out == f"{tmp_path}: removed 1 files, 4 B\n"
        assert bmz("cache", "clear", "--json", env=env).json == {"path": str(tmp_path), "files": 0, "bytes": 0}
        assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]

    def test_help(self, bmz: ForkedBmz) -> None:
        """With an example."""
        assert "Example: bmz cache" in bmz("cache", "--help").out
