"""Images that cannot be read: one line, status 2; the other images of a batch are predicted."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import zarr
from bmz_process import ForkedBmz, run_process


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The path of the output."""
    return tmp_path / "out.zarr"


@pytest.fixture
def damaged(tmp_path: Path, image: Path) -> Path:
    """A copy of the image whose only chunk is cut."""
    path = Path(shutil.copytree(image, tmp_path / "images" / "damaged.zarr"))
    chunk = path / "c/0/0"
    chunk.write_bytes(chunk.read_bytes()[:100])
    return path


class TestUnreadable:
    """One line for each way to fail."""

    @pytest.mark.parametrize("workers", [(), ("--processes", "1")], ids=["threads", "cluster"])
    def test_damaged_chunk(self, bmz: ForkedBmz, model: Path, damaged: Path, out: Path, workers: tuple[str, ...]) -> None:
        """In threads and on workers, the line names image and chunk."""
        line = bmz("predict", model, damaged, "-o", out, *workers).error(2)
        assert line.startswith(f"bmz: chunk (0, 0) of {damaged} cannot be read, its file c/0/0 is damaged (")

    def test_statistics(self, bmz: ForkedBmz, damaged: Path) -> None:
        """The same for statistics."""
        assert bmz("stats", damaged).error(2).startswith(f"bmz: chunk (0, 0) of {damaged} cannot be read")

    def test_batch(self, bmz: ForkedBmz, model: Path, damaged: Path, image: Path, tmp_path: Path) -> None:
        """The rest is predicted."""
        shutil.copytree(image, damaged.parent / "sound.zarr")
        ran = bmz("predict", model, damaged.parent, "-o", tmp_path / "out")
        assert ran.status == 1
        assert "1 of 2 images predicted" in ran.out
        assert f"failed: {damaged}: chunk (0, 0) of {damaged} cannot be read" in ran.err
        assert zarr.open_group(str(tmp_path / "out/sound.zarr"), mode="r")

    def test_nothing_else_is_printed(self, model: Path, tmp_path: Path) -> None:
        """Reads of other chunks, which a failure leaves unfinished, say nothing when the process ends."""
        for name in ("a", "b"):
            path = tmp_path / "images" / f"{name}.zarr"
            array = zarr.create_array(str(path), shape=(256, 256), chunks=(16, 16), dtype="uint16", dimension_names=("y", "x"))
            array[:] = np.random.default_rng(0).integers(0, 9999, (256, 256))
            (path / "c/1/1").write_bytes((path / "c/1/1").read_bytes()[:50])
        ran = run_process("predict", model, tmp_path / "images", "-o", tmp_path / "out")
        assert ran.status == 1
        assert [line.partition(": ")[0] for line in ran.err.splitlines()] == ["failed", "failed"]

    def test_empty_folders(self, bmz: ForkedBmz, model: Path, out: Path, tmp_path: Path) -> None:
        """A folder without images, for a prediction and for statistics."""
        (tmp_path / "empty").mkdir()
        assert bmz("stats", tmp_path / "empty").error(2).startswith(f"bmz: no images in {tmp_path / 'empty'}")
        assert bmz("predict", model, tmp_path / "empty", "-o", out).error(2).startswith(f"bmz: no images in {tmp_path / 'empty'}")

    def test_no_pixels(self, bmz: ForkedBmz, model: Path, out: Path, tmp_path: Path) -> None:
        """An image without pixels."""
        np.save(tmp_path / "a.npy", np.zeros((0, 5), np.float32))
        expected = "bmz: a is empty (shape (0, 5)): expected at least one pixel"
        assert bmz("predict", model, tmp_path / "a.npy", "-o", out, "--axes", "yx").error(2) == expected
        assert bmz("stats", tmp_path / "a.npy").error(2) == expected

    def test_output_on_web_server(self, bmz: ForkedBmz, model: Path, image: Path) -> None:
        """Web servers are only read from."""
        line = bmz("predict", model, image, "-o", "http://127.0.0.1/out.zarr").error(2)
        assert line.startswith("bmz: output http://127.0.0.1/out.zarr is on a web server, which is only read from")

    def test_unreachable_store(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """An object store that is not there, as input and as output."""
        pytest.importorskip("s3fs")
        with socket.socket() as taken:  # bound, but not listening: nobody answers
            taken.bind(("127.0.0.1", 0))
            env = {
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{taken.getsockname()[1]}",
            }
            assert "bucket/x.zarr" in bmz("predict", model, "s3://bucket/x.zarr", "-o", out, env=env).error(2)
            assert "bucket/o.zarr" in bmz("predict", model, image, "-o", "s3://bucket/o.zarr", env=env).error(2)

    def test_skipped(self, bmz: ForkedBmz, image: Path, tmp_path: Path) -> None:
        """What of a folder is not read is in one line: images of kinds that are not read, folders and other files; hidden ones are not."""
        folder = tmp_path / "images"
        shutil.copytree(image, folder / "a.zarr")
        assert bmz("stats", folder).err == ""
        for name in ("c.mrc", ".hidden.mrc", ".DS_Store"):
            (folder / name).touch()
        ran = bmz("stats", folder)
        assert ran.status == 0
        assert ran.err.endswith("skipped 1 image of a kind that is not read: c.mrc\n")
        for name in ("d.nrrd", "notes.txt", "more.txt", "README"):
            (folder / name).touch()
        (folder / "day 2").mkdir()
        line = bmz("stats", folder).err
        assert "skipped 2 images of kinds that are not read: c.mrc, d.nrrd; 1 folder: day 2 (a pattern such as '" in line
        assert line.endswith("images/*/*.tif' takes images in them); 3 other files: .txt, without ending\n")
