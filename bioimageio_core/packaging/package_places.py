"""The places that a description and the files that it names are read from."""

from __future__ import annotations

from pathlib import Path

from ..places import Place, place_of
from ..sources import Package
from ..sources.urls import is_url
from ..spec.node import Node
from .references import file_references

__all__ = ["package_places"]


def package_places(descr: Node, package: Package) -> tuple[Place, ...]:
    """Return the places of a package, and of files that lie elsewhere.

    Args:
        descr: The description.
        package: The package of its files.

    """
    locations = list(package.locations)
    for reference in file_references(descr):
        if is_url(reference.source) or Path(reference.source).is_absolute():
            locations.append(reference.source)
        elif package.root:
            locations.append(f"{package.root.rstrip('/')}/{reference.source}")
    return tuple(dict.fromkeys(map(place_of, locations)))
