"""Files that a description refers to."""

from __future__ import annotations

from .node import Node, node
from .strings import PackagedSource, Sha256

__all__ = ["FileDescr"]


@node
class FileDescr(Node):
    """A file that goes into packages."""

    source: PackagedSource
    """A URL, or a path relative to the description."""

    sha256: Sha256 | None = None
