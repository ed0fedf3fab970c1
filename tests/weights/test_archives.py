"""Weights that are a folder in a zip."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import pytest

from bioimageio_core.errors import ModelRunError
from bioimageio_core.weights.archives import WeightsFolder


def zip_of(path: Path, **files: bytes) -> Path:
    """Write a zip; ``__`` in a name stands for a slash, ``_`` for a dot."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return path


class TestUnpacked:
    """What is found where."""

    @pytest.mark.parametrize("inside", ["", "network__", "some__where__"])
    def test_holder(self, tmp_path: Path, inside: str) -> None:
        """The folder that holds the marker, at the top or within."""
        path = zip_of(tmp_path / "w.zip", **{f"{inside}net_pb": b"net", f"{inside}variables__data": b"numbers"})
        folder = WeightsFolder(path, "net.pb")
        assert (folder.path / "net.pb").read_bytes() == b"net"
        assert (folder.path / "variables" / "data").read_bytes() == b"numbers"
        folder.close()
        assert not folder.path.exists()

    def test_folder(self, tmp_path: Path) -> None:
        """A folder stays where it is, also when it is closed."""
        (tmp_path / "net.pb").write_bytes(b"net")
        folder = WeightsFolder(tmp_path, "net.pb")
        assert folder.path == tmp_path
        folder.close()
        assert (tmp_path / "net.pb").exists()

    def test_topmost(self, tmp_path: Path) -> None:
        """Of several, that which is nearest to the top; what a Mac adds does not count."""
        path = zip_of(tmp_path / "w.zip", net_pb=b"1", old__net_pb=b"2")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("__MACOSX/net.pb", b"3")
        folder = WeightsFolder(path, "net.pb")
        assert (folder.path / "net.pb").read_bytes() == b"1"
        folder.close()

    def test_equal_names(self, tmp_path: Path) -> None:
        """Two zips of one name never share a folder."""
        folders = []
        for n in (b"1", b"2"):
            (tmp_path / n.decode()).mkdir()
            folders.append(WeightsFolder(zip_of(tmp_path / n.decode() / "w.zip", net_pb=n), "net.pb"))
        assert [(f.path / "net.pb").read_bytes() for f in folders] == [b"1", b"2"]
        for folder in folders:
            folder.close()


class TestRefused:
    """One clear error, and nothing outside of the folder."""

    def refused(self, path: Path, match: str) -> None:
        """Assert that it is refused in one line."""
        with pytest.raises(ModelRunError, match=match) as caught:
            WeightsFolder(path, "net.pb")
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped-weights", "a/../../escaped", "..\\escaped", "C:\\escaped"])
    def test_escape(self, tmp_path: Path, name: str) -> None:
        """Paths that lead out of it."""
        path = tmp_path / "w.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("net.pb", b"net")
            archive.writestr(name, b"escaped")
        self.refused(path, "would be unpacked outside of its folder")
        assert not list(tmp_path.parent.glob("escaped*"))

    def test_bomb(self, tmp_path: Path) -> None:
        """A megabyte that would be a gigabyte."""
        path = tmp_path / "w.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("net.pb", "w", force_zip64=True) as file:
            for _ in range(1100):
                file.write(bytes(1 << 20))
        self.refused(path, r"w\.zip has \d+ bytes and would unpack to 1153433600, unlike weights: expected at most 100 times as many")

    def test_bomb_that_lies(self, tmp_path: Path) -> None:
        """One that states a smaller size than it has is broken, and no more than was stated is written."""
        path = tmp_path / "w.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("net.pb", bytes(1 << 20))
        content = path.read_bytes()
        path.write_bytes(content.replace(struct.pack("<L", 1 << 20), struct.pack("<L", 1000)))
        self.refused(path, r"w\.zip cannot be read as a zip of weights: .*CRC")

    def test_link(self, tmp_path: Path) -> None:
        """Links are not followed."""
        path = zip_of(tmp_path / "w.zip", net_pb=b"net")
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(info, "/etc/passwd")
        self.refused(path, "'link' in w.zip is a link")

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_twice(self, tmp_path: Path) -> None:
        """Which of the two is meant, nobody knows."""
        path = zip_of(tmp_path / "w.zip", net_pb=b"1")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("./net.pb", b"2")
        self.refused(path, r"holds 'net\.pb' twice")

    def test_without_marker(self, tmp_path: Path) -> None:
        """Named."""
        self.refused(zip_of(tmp_path / "w.zip", other_pb=b"net"), r"w\.zip holds no file 'net\.pb'")

    def test_two_networks(self, tmp_path: Path) -> None:
        """Both named."""
        self.refused(zip_of(tmp_path / "w.zip", a__net_pb=b"1", b__net_pb=b"2"), r"several networks \(a/net\.pb, b/net\.pb\)")

    @pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 broken"])
    def test_no_zip(self, tmp_path: Path, content: bytes) -> None:
        """Named."""
        (tmp_path / "w.zip").write_bytes(content)
        self.refused(tmp_path / "w.zip", r"w\.zip cannot be read as a zip of weights")

    def test_truncated(self, tmp_path: Path) -> None:
        """Named."""
        path = zip_of(tmp_path / "w.zip", net_pb=bytes(10_000))
        path.write_bytes(path.read_bytes()[:5000])
        self.refused(path, r"w\.zip cannot be read as a zip of weights")
