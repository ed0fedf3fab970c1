"""When, with what and on what a model was tested, so that a report can be filed as evidence."""

from __future__ import annotations

import hashlib
import platform
from datetime import datetime
from importlib.metadata import distributions

import attrs

from ..sources import Package

__all__ = ["Evidence", "description_sha256", "gather_evidence"]


@attrs.frozen(kw_only=True)
class Evidence:
    """The circumstances of a test."""

    made: str
    """Date and time of the test with time zone, in the notation of ISO 8601."""

    library: str
    """Version of this library."""

    python: str
    system: str
    """Operating system and processor."""

    description_sha256: str
    """Hash of the text of the description; empty if it is not a file."""

    packages: int
    """Number of installed distributions."""

    packages_sha256: str
    """Hash of the lines ``name==version`` of all installed distributions, in lower case, sorted, each with a line break."""


def description_sha256(package: Package) -> str:
    """Return the hash of the text of a description; empty if it is not a file."""
    content = package.content
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else ""


def gather_evidence(package: Package) -> Evidence:
    """Return the circumstances of a test of this package, now."""
    installed = sorted({f"{d.name.lower()}=={d.version}\n" for d in distributions() if d.name})
    return Evidence(
        made=datetime.now().astimezone().isoformat(timespec="seconds"),
        library=next((line.partition("==")[2].strip() for line in installed if line.startswith("bioimageio-runtime==")), ""),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}, {platform.machine()}",
        description_sha256=description_sha256(package),
        packages=len(installed),
        packages_sha256=hashlib.sha256("".join(installed).encode()).hexdigest(),
    )
