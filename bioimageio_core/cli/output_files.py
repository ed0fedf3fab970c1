"""Files that commands write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..prediction.planning.plan import Plan

__all__ = ["check_file_apart", "check_page", "place_of_output", "write_page"]


def check_file_apart(output: str | None, sources: Iterable[str]) -> None:
    """Refuse to write a file over what a command reads.

    Args:
        output: The file to write; None for none.
        sources: Models and other resources, as given on the command line.

    Raises:
        OutputError: The file is a file of one of the sources.

    """
    if output is None:
        return
    from ..api.loading import source_places
    from ..errors import SourceError
    from ..places import check_apart

    for source in sources:
        try:
            check_apart(output, [("its source", place) for place in source_places(source)])
        except SourceError:  # the command itself says so
            continue


def check_page(path: str | None) -> None:
    """Check the name of a page before a command that takes long.

    Raises:
        InputError: It does not end in ``.html``, or its folder does not exist.

    """
    if path is None:
        return
    from ..errors import InputError

    if not path.lower().endswith((".html", ".htm")):
        raise InputError(f"the page {path}: expected a name that ends in .html")
    if not Path(path).expanduser().absolute().parent.is_dir():
        raise InputError(f"the page {path} cannot be written: the folder {Path(path).parent} does not exist; make it first")


def write_page(path: str, page: str) -> None:
    """Write an HTML page; another page of this name is replaced.

    Raises:
        OutputError: A file of this name holds something else, or it cannot be written.

    """
    from ..atomic_files import write_text

    write_text(path, page, overwrite=True, replaces=("page", _is_html))


def _is_html(text: str) -> bool:
    return text.lstrip()[:15].lower().startswith(("<!doctype html", "<html"))


def place_of_output(output: str, plan: Plan, name: str) -> str:
    """Return where an output of the model is: a file, or an image or array of the zarr folder."""
    from ..io.locations import join
    from ..io.writing.chosen_writer import EACH, writer_of

    if writer_of(output) is not None:
        return output.replace(EACH, name)
    path = plan.ome[name].path if name in plan.ome else name
    return join(output, path) if path else output
