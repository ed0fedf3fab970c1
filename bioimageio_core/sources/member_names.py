"""Names of files in packages: which files are descriptions, and which paths stay inside."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from ..errors import SourceError

__all__ = ["DESCRIPTION_NAMES", "base_name", "check_name", "description_in", "inside", "is_description", "path_or_name"]

DESCRIPTION_NAMES = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
"""Names of description files, the preferred first; ``*.<name>`` counts as well."""


def is_description(name: str) -> bool:
    """Return whether a file of this name is a description."""
    return name in DESCRIPTION_NAMES or name.endswith(tuple(f".{known}" for known in DESCRIPTION_NAMES))


def description_in(names: list[str]) -> str | None:
    """Return the preferred description among sorted file names; None where there is none."""
    for wanted in DESCRIPTION_NAMES:
        for match in ((n == wanted for n in names), (n.endswith(f".{wanted}") for n in names)):
            for name, good in zip(names, match, strict=True):
                if good:
                    return name
    return None


def check_name(source: str, package: str) -> None:
    """Check that a file can have a name.

    Raises:
        SourceError: No file can.

    """
    if "\0" in source:
        raise SourceError(f"{package} names the file {source!r}, which no file system can have: expected a name without a NUL")


def inside(source: str, package: str) -> str:
    """Return the normalised path of a file in a package.

    Raises:
        SourceError: The path leads out of the package, or no file can have this name.

    """
    check_name(source, package)
    parts: list[str] = []
    for part in PurePosixPath(source.replace("\\", "/")).parts:
        if part == ".." and parts:
            parts.pop()
        elif part == ".." or part.endswith(":") or re.match(r"[A-Za-z]:", part) or part == "/":
            raise SourceError(f"{package} names the file {source!r}, which lies outside of it: expected a path within the package")
        else:
            parts.append(part)
    return "/".join(parts)


def path_or_name(source: str) -> str:
    """Return the path of a file within its package; of a path that leads out, of a drive or of a URL, the last name."""
    path = PurePosixPath(source.replace("\\", "/"))
    leads_out = path.is_absolute() or ".." in path.parts or ":" in source
    return base_name(source) if leads_out else str(path)


def base_name(source: str, default: str = "file") -> str:
    """Return the last name of a path, as the name of a file that is written: it lies in the folder that it is joined to.

    Args:
        source: Any text that a description, an archive or a foreign format has as the name of a file.
        default: The name where the text has none, as ``..`` and ``C:``.

    """
    name = re.sub(r"[\x00-\x1f:]", "", PurePosixPath(source.replace("\\", "/")).name)
    return default if name in ("", ".", "..") else name
