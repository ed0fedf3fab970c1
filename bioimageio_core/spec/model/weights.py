"""What weights entries have in common, by format version; each weights format's own classes build on these."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from ...structuring.format_value import format_value
from ..constraints import anchored, json_schema
from ..files import FileDescr
from ..generic import v0_2, v0_3
from ..node import node

__all__ = ["WeightsEntryV04", "WeightsEntryV05", "split_architecture"]


def split_architecture(architecture: str) -> tuple[str, str]:
    """Return file and callable of an architecture that is written as ``file:callable``.

    Readers of formats 0.3 and 0.4.0 also took ``file::callable``. Of ``module.callable`` the file is empty.
    """
    file, _, name = architecture.rpartition(":")
    return file.removesuffix(":"), name


@json_schema({"pattern": anchored(r"\s*[^\s:][^:]*:.*\S\s*")})
def _dependencies(value: str) -> str:
    manager, colon, file = value.strip().partition(":")
    if not (manager and colon and file):
        raise ValueError(f"expected manager:file, found {format_value(value)}")
    return value


Dependencies: TypeAlias = Annotated[str, _dependencies]


@node
class WeightsEntryV04(FileDescr):
    """Weights in one format, as model format 0.4 describes them."""

    authors: tuple[v0_2.Author, ...] | None = None
    """Who trained the model or, where there is a parent, who converted the weights."""

    parent: str | None = None
    """The weights format that these weights were converted from."""

    attachments: v0_2.AttachmentsDescr | None = None
    dependencies: Dependencies | None = None
    """``manager:file``, such as ``conda:environment.yaml``."""


@node
class WeightsEntryV05(FileDescr):
    """Weights in one format, as model format 0.5 describes them."""

    authors: tuple[v0_3.Author, ...] | None = None
    """Who trained the model or, where there is a parent, who converted the weights."""

    parent: str | None = None
    """The weights format that these weights were converted from."""

    comment: str = ""
