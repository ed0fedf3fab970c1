"""Weights that are a folder, packed into one zip: unpacked safely for frameworks.

Public: adapters of formats that are a folder unpack their weights here.
A zip may come from anywhere, so its members are checked before the first byte is written.
"""

from __future__ import annotations

import shutil
import stat
import zipfile
from pathlib import Path

from ..errors import ModelRunError, SourceError
from ..sources.member_names import inside
from ..sources.scratch import Scratch
from ..sources.zip_sizes import ALWAYS_ALLOWED, LARGEST_RATIO, check_free_space, check_unpacked_size
from ..text import in_brief

__all__ = ["ALWAYS_ALLOWED", "LARGEST_RATIO", "MOST_MEMBERS", "WeightsFolder", "check_archive"]

MOST_MEMBERS = 100_000


class WeightsFolder:
    """The folder of weights: the path itself, or the content of a zip, unpacked into a temporary folder.

    Args:
        path: A folder or a zip.
        marker: A file that identifies the folder, such as ``saved_model.pb``.

    Raises:
        ModelRunError: The file is not a zip, is broken, unpacks to too much or outside of its folder, or has no or several markers.
        SourceError: There is no space to unpack it.

    """

    def __init__(self, path: str | Path, marker: str) -> None:
        self._scratch = Scratch()
        given = Path(path)
        try:
            root = given if given.is_dir() else self._unpacked(given)
            self.path = _holder(root, marker, given.name)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the unpacked files."""
        self._scratch.remove()

    def _unpacked(self, given: Path) -> Path:
        folder = self._scratch.folder()
        try:
            with zipfile.ZipFile(given) as archive:
                members = check_archive(archive, given.name)
                check_free_space(folder, sum(info.file_size for info, _ in members), given.name)
                for info, name in members:
                    target = folder / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(info) as source, target.open("xb") as file:
                        shutil.copyfileobj(source, file)
        except (ModelRunError, SourceError):
            raise
        except OSError as error:
            raise SourceError(f"{given.name} cannot be unpacked: {error}; the environment variable TMPDIR names another folder") from None
        except Exception as error:  # zipfile passes on what its decompressors raise
            raise ModelRunError(f"{given.name} cannot be read as a zip of weights: {in_brief(error)}") from None
        return folder


def check_archive(archive: zipfile.ZipFile, name: str) -> list[tuple[zipfile.ZipInfo, str]]:
    """Return the files of a zip with their paths, none of which leads out of the folder that they are unpacked into.

    Args:
        archive: The zip.
        name: Name of the zip in messages.

    Raises:
        ModelRunError: A path leads out of the folder or occurs twice, a member is a link or encrypted, or the zip unpacks to too much.

    """
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) > MOST_MEMBERS:
        raise ModelRunError(f"{name} holds {len(members)} files: expected at most {MOST_MEMBERS} in a zip of weights")
    try:
        check_unpacked_size(archive, Path(str(archive.filename)).stat().st_size, name)
    except SourceError as error:
        raise ModelRunError(str(error)) from None
    paths: dict[str, zipfile.ZipInfo] = {}
    for info in members:
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ModelRunError(f"{info.filename!r} in {name} is a link, which is not followed: expected a file")
        if info.flag_bits & 1:
            raise ModelRunError(f"{info.filename!r} in {name} is encrypted: expected a zip without a password")
        try:
            path = inside(info.filename, name)
        except SourceError:
            raise ModelRunError(f"{info.filename!r} in {name} would be unpacked outside of its folder: expected paths within it") from None
        if path in paths:
            raise ModelRunError(f"{name} holds {path!r} twice: expected it once")
        paths[path] = info
    return [(info, path) for path, info in paths.items()]


def _holder(root: Path, marker: str, name: str) -> Path:
    """Return the topmost folder that holds the marker: zips often wrap everything into one folder."""
    found = sorted((p for p in root.rglob(marker) if "__MACOSX" not in p.parts and p.is_file()), key=lambda p: (len(p.parts), p))
    if not found:
        raise ModelRunError(f"{name} holds no file {marker!r}: expected it at the top, or in a folder within")
    if len(found) > 1 and len(found[0].parts) == len(found[1].parts):
        places = ", ".join(p.relative_to(root).as_posix() for p in found[:5])
        raise ModelRunError(f"{name} holds several networks ({places}): expected one")
    return found[0].parent
