"""Macros, run by an ImageJ of the user on arrays."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.text import in_one_line

__all__ = ["LocalImagej", "may_run"]

JAR = "BMZ_IMAGEJ"
TRUST = "BMZ_IMAGEJ_TRUST"
TIMEOUT = "BMZ_IMAGEJ_TIMEOUT"
DEFAULT_TIMEOUT = 120.0
"""Seconds."""

WRAPPER = """run("Raw...", "open=[{source}] image=[32-bit Real] width={width} height={height} number={number}");
runMacro("{macro}");
getDimensions(width, height, channels, slices, frames);
if (bitDepth() != 32) run("32-bit");
saveAs("Raw Data", "{target}");
File.saveString("" + width + " " + height + " " + (channels * slices * frames), "{told}");
"""


def may_run(macro: str) -> bool:
    """Return whether an ImageJ is configured, and the macro is trusted: macros can read and write files, and start programs."""
    if not os.environ.get(JAR):
        return False
    trusted = [part.strip().lower() for part in os.environ.get(TRUST, "").split(",")]
    return "all" in trusted or hashlib.sha256(macro.encode()).hexdigest() in trusted


@attrs.frozen(kw_only=True)
class LocalImagej:
    """An ImageJ of this computer."""

    jar: Path
    timeout: float = DEFAULT_TIMEOUT
    """Seconds after which a macro is given up."""

    @classmethod
    def configured(cls) -> LocalImagej:
        """Return the ImageJ that environment variables name.

        Raises:
            InputError: There is none, or no seconds are given.

        """
        jar, seconds = Path(os.environ.get(JAR, "")).expanduser(), os.environ.get(TIMEOUT, str(DEFAULT_TIMEOUT))
        if not jar.is_file():
            raise InputError(f"{JAR} names {str(jar)!r}: expected the file ij.jar of an ImageJ")
        try:
            timeout = float(seconds)
        except ValueError:
            raise InputError(f"{TIMEOUT} holds {seconds!r}: expected seconds") from None
        return cls(jar=jar, timeout=timeout)

    def run(self, macro: str, name: str, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what a macro makes of an image.

        Args:
            macro: Its text.
            name: What to call it.
            planes: Shape (planes, y, x).

        Raises:
            InputError: Java, or a display for it, is missing.
            ModelRunError: The macro fails, or does not end in time.

        """
        with tempfile.TemporaryDirectory(prefix="bmz-imagej-") as scratch:
            folder = Path(scratch)
            files = {key: folder / f"{key}.{end}" for key, end in (("source", "raw"), ("target", "raw"), ("told", "txt"), ("macro", "ijm"))}
            planes.astype(">f4").tofile(files["source"])
            files["macro"].write_text(macro, encoding="utf-8")
            number, height, width = planes.shape
            places = {key: path.as_posix() for key, path in files.items()}
            (folder / "run.ijm").write_text(WRAPPER.format(number=number, height=height, width=width, **places), encoding="utf-8")
            self._call(folder, name)
            if not files["told"].is_file() or not files["target"].is_file():
                raise ModelRunError(f"macro {name!r} failed in ImageJ: expected an image after it, found none")
            shape = tuple(int(size) for size in files["told"].read_text().split())
            if shape != (width, height, number):
                raise ModelRunError(
                    f"macro {name!r} in ImageJ gave {shape} as width, height and planes: expected {(width, height, number)}"
                )
            return np.fromfile(files["target"], ">f4").astype(np.float32).reshape(planes.shape)

    def _call(self, folder: Path, name: str) -> None:
        java, display = shutil.which("java"), self._display()
        if java is None:
            raise InputError(f"macro {name!r} is to be run by ImageJ, which needs Java: expected the command java, found none")
        command = [*display, java, f"-Duser.home={folder}", "-cp", str(self.jar), "ij.ImageJ"]
        command += ["-ijpath", str(folder), "-batch", str(folder / "run.ijm")]
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True)
            try:
                process.wait(self.timeout)
            except subprocess.TimeoutExpired:
                raise ModelRunError(
                    f"macro {name!r} in ImageJ did not end within {self.timeout:g} s: "
                    f"it may have failed or opened a dialog; {TIMEOUT} gives it more"
                ) from None
            finally:
                _end(process)
        if process.returncode:
            said = in_one_line((folder / "log.txt").read_text(errors="replace"))[-300:]
            raise ModelRunError(f"ImageJ failed with macro {name!r}: {said or f'exit status {process.returncode}'}")

    @staticmethod
    def _display() -> list[str]:
        """Return the command that gives ImageJ a display: it opens windows even if it runs without a user."""
        xvfb = shutil.which("xvfb-run")
        if xvfb is not None:
            return [xvfb, "--auto-servernum"]
        if os.environ.get("DISPLAY"):
            return []
        raise InputError("ImageJ needs a display: expected the command xvfb-run, or the variable DISPLAY, found neither")


def _end(process: subprocess.Popen[Any]) -> None:
    """End a process and all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
