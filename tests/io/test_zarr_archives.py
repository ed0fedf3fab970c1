"""Zarr images in zip archives."""

from __future__ import annotations

import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
import pytest
import zarr
from served import Served

from bioimageio_core.errors import SourceError
from bioimageio_core.io import Image, open_image
from bioimageio_core.io.reading.fingerprints import fingerprint
from bioimageio_core.io.reading.image_parts import expand_parts
from bioimageio_core.prediction.data.expand_image_paths import expand_image_paths

IMAGE = np.arange(40 * 48, dtype=np.uint16).reshape(40, 48)
ALL = (slice(None), slice(None))


def group(path: Path, names: tuple[str, ...] = ("",)) -> Path:
    """Write an image, or several as bioformats2raw does."""
    root = zarr.open_group(str(path), mode="w")
    if names != ("",):
        root.attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
    for n, name in enumerate(names):
        node = root.require_group(name) if name else root
        axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"]
        scale = [{"type": "scale", "scale": [0.5, 0.5]}]
        datasets = [{"path": "0", "coordinateTransformations": scale}]
        node.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
        node.create_array("0", data=IMAGE + n, chunks=(16, 16))
    return path


def zipped(folder: Path, name: str, *, with_folder: bool = False) -> Path:
    """Zip a folder, either its content or itself."""
    root, base = (folder.parent, folder.name) if with_folder else (folder, ".")
    return Path(shutil.move(shutil.make_archive(str(folder) + "-made", "zip", root, base), folder.parent / name))


def check(image: Image) -> None:
    """Check pixels and metadata, read from several threads and by a copy."""
    assert image.axes == ("y", "x")
    assert image.pixel_size["x"] == (0.5, "micrometer")
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda n: image.read((slice(n, n + 1), slice(None))), range(40)))
    np.testing.assert_array_equal(np.concatenate(rows), IMAGE)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(image)).read(ALL), IMAGE)


class TestArchives:
    """Archives read like the folders that they were made from."""

    @pytest.mark.parametrize("name", ["a.ozx", "a.zarr.zip", "a.ome.zarr.zip", "A.OZX"])
    @pytest.mark.parametrize("with_folder", [False, True])
    def test_image(self, tmp_path: Path, name: str, with_folder: bool) -> None:
        """The content of a folder, or the folder itself."""
        archive = zipped(group(tmp_path / "image"), name, with_folder=with_folder)
        check(open_image(archive))
        assert open_image(archive).name.lower() == "a"

    def test_paths(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A relative path, and a path into the archive."""
        zipped(group(tmp_path / "image"), "a.ozx")
        monkeypatch.chdir(tmp_path)
        check(open_image("a.ozx"))
        np.testing.assert_array_equal(open_image("a.ozx/0").read(ALL), IMAGE)

    def test_several(self, tmp_path: Path) -> None:
        """Several images in an archive are listed, chosen, and expanded."""
        archive = zipped(group(tmp_path / "image", ("0", "1")), "a.ozx")
        with pytest.raises(SourceError, match=r"holds 2 images \(0, 1\)"):
            open_image(archive)
        assert open_image(archive, scene=1).read(ALL)[0, 0] == 1
        assert [open_image(part).read(ALL)[0, 0] for part in expand_parts([archive])] == [0, 1]

    def test_folder_of_archives(self, tmp_path: Path) -> None:
        """A folder of images takes archives for images; a folder with the ending of an archive is a folder."""
        zipped(group(tmp_path / "image"), "a.ozx")
        shutil.move(tmp_path / "image", tmp_path / "b.zarr.zip")
        assert expand_image_paths([str(tmp_path)]) == (str(tmp_path / "a.ozx"), str(tmp_path / "b.zarr.zip"))
        check(open_image(tmp_path / "b.zarr.zip"))

    def test_elsewhere(self, tmp_path: Path) -> None:
        """The same by a URL; of a server that sends no parts of files, one sentence."""
        archive = zipped(group(tmp_path / "image"), "a.ozx")
        files, path = fsspec.core.url_to_fs("memory://archives/a.ozx")
        files.pipe_file(path, archive.read_bytes())
        image = open_image("memory://archives/a.ozx")
        np.testing.assert_array_equal(image.read(ALL), IMAGE)
        pytest.importorskip("aiohttp")
        served = Served(tmp_path)
        try:
            with pytest.raises(SourceError, match=r"a\.ozx cannot be opened: .*range requests"):
                open_image(f"{served.url}/a.ozx")
        finally:
            served.close()

    def test_changed(self, tmp_path: Path) -> None:
        """An archive that is replaced is another image for what identifies it."""
        archive = zipped(group(tmp_path / "image"), "a.ozx")
        before = fingerprint(open_image(archive))
        assert fingerprint(open_image(archive)) == before
        archive.touch()
        assert fingerprint(open_image(archive)) != before

    def test_broken(self, tmp_path: Path) -> None:
        """What is no zip file, or holds no zarr."""
        (tmp_path / "a.ozx").write_bytes(b"PK")
        with pytest.raises(SourceError, match=r"a\.ozx cannot be read as a zip archive"):
            open_image(tmp_path / "a.ozx")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "notes.txt").write_text("nothing")
        with pytest.raises(SourceError, match="archive without zarr metadata"):
            open_image(zipped(tmp_path / "folder", "b.ozx"))
        with pytest.raises(SourceError, match="does not exist"):
            open_image(tmp_path / "c.ozx")
