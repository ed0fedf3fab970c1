"""Where results go: outputs that exist, places that cannot be written, interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from bmz_process import ForkedBmz, run_process


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where an output will be."""
    return tmp_path / "out.zarr"


class TestExisting:
    """An output that is there already."""

    def test_refused_and_overwritten(self, bmz: ForkedBmz, made: Path, image: Path, out: Path) -> None:
        """Only --overwrite replaces it, whole."""
        assert bmz("predict", made, image, "-o", out).status == 0
        (out / "stale").write_text("")
        line = bmz("predict", made, image, "-o", out).error(2)
        assert str(out) in line
        assert "--overwrite" in line
        assert (out / "stale").exists()
        assert bmz("predict", made, image, "-o", out, "--overwrite").status == 0
        assert not (out / "stale").exists()
        assert zarr.open_group(str(out), mode="r")["0"].shape == (1, 40, 50)

    def test_never_overwrites_what_is_no_zarr(self, bmz: ForkedBmz, made: Path, image: Path, tmp_path: Path) -> None:
        """Neither a folder of the user nor a file."""
        folder = tmp_path / "thesis"
        folder.mkdir()
        (folder / "thesis.tex").write_text("years of work")
        assert "not a zarr store" in bmz("predict", made, image, "-o", folder, "--overwrite").error(2)
        assert "unknown ending" in bmz("predict", made, image, "-o", folder / "thesis.tex", "--overwrite").error(2)
        (folder / "thesis").write_text("years of work")
        assert "not a zarr store" in bmz("predict", made, image, "-o", folder / "thesis", "--overwrite").error(2)
        assert (folder / "thesis").read_text() == (folder / "thesis.tex").read_text() == "years of work"

    def test_empty_folder(self, bmz: ForkedBmz, made: Path, image: Path, out: Path) -> None:
        """Is as good as none."""
        out.mkdir()
        assert bmz("predict", made, image, "-o", out).status == 0


class TestUnwritable:
    """Places that cannot be written."""

    def test_below_a_file(self, bmz: ForkedBmz, made: Path, image: Path, tmp_path: Path) -> None:
        """The folder is a file."""
        (tmp_path / "file").write_text("")
        assert str(tmp_path / "file") in bmz("predict", made, image, "-o", tmp_path / "file" / "out.zarr").error(2)

    @pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc")
    @pytest.mark.parametrize("name", ["out.zarr", "out.tif"])
    def test_not_writable(self, bmz: ForkedBmz, made: Path, image: Path, name: str) -> None:
        """A file system that takes no files, whoever asks; there is nothing to continue."""
        line = bmz("predict", made, image, "-o", f"/proc/{name}").error(2)
        assert line == f"bmz: /proc/{name} cannot be written: its folder is gone, or nothing can be made there; give another path"

    @pytest.mark.parametrize("more", [(), ("--overwrite",)])
    @pytest.mark.parametrize("name", ["out.zarr", "out.tif"])
    def test_link_to_nothing(self, bmz: ForkedBmz, made: Path, image: Path, tmp_path: Path, name: str, more: tuple[str, ...]) -> None:
        """A link to what does not exist stays; one to an output is followed."""
        link = tmp_path / name
        link.symlink_to(tmp_path / "elsewhere" / name)
        line = bmz("predict", made, image, "-o", link, *more).error(2)
        assert line.startswith(f"bmz: {link} is a link to {tmp_path / 'elsewhere' / name}, which does not exist: make what it leads to")
        assert link.is_symlink()
        assert bmz("predict", made, image, "-o", tmp_path / "elsewhere" / name).status == 0
        assert bmz("predict", made, image, "-o", link, "--overwrite").status == 0
        assert link.is_symlink()
        assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir() if not path.name.startswith(".")) == [name]

    @pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limit of file sizes")
    def test_no_space(self, bmz: ForkedBmz, made: Path, tmp_path: Path, save_image: Any, out: Path) -> None:
        """Chunks that cannot be written end the run; what is left is no zarr group, and can be replaced."""
        image = save_image(tmp_path / "large.zarr", np.random.default_rng(0).random((400, 400), dtype=np.float32), "yx")
        code = (
            "import resource, signal\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
            "from bioimageio_core.cli import main; main()"
        )
        args = ["predict", made, image, "-o", out]
        line = run_process(*args, code=code).error(2)
        assert str(out) in line
        assert "cannot be written" in line
        with pytest.raises(FileNotFoundError):
            zarr.open_group(str(out), mode="r")
        assert bmz(*args, "--overwrite").status == 0


class TestInterruption:
    """Ctrl-C."""

    def test_predict(self, bmz: ForkedBmz, made: Path, tmp_path: Path, save_image: Any, out: Path) -> None:
        """Status 130, one line, and no zarr group; --resume continues it."""
        image = save_image(tmp_path / "large.zarr", np.random.default_rng(0).random((500, 500), dtype=np.float32), "yx")
        args = ["predict", str(made), str(image), "-o", str(out)]
        command = [sys.executable, "-m", "bioimageio_core.cli", *args, "--block", "y=12,x=12", "--workers", "2"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
            deadline = time.monotonic() + 60
            while len(list((out / "0").glob("c/*/*/*"))) < 20:
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            printed, said = process.communicate(timeout=60)
        assert process.returncode == 130
        assert printed == ""
        (line,) = said.strip().splitlines()
        assert str(out) in line
        assert "--resume" in line
        with pytest.raises(FileNotFoundError):
            zarr.open_group(str(out), mode="r")
        line = bmz(*args).error(2)
        assert "incomplete" in line
        assert "--overwrite" in line
        assert bmz(*args, "--overwrite").status == 0
