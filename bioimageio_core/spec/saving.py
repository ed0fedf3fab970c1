"""Descriptions as YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import OutputError
from .structuring import unstructure
from .yaml import dump_yaml

__all__ = ["description_yaml", "save_description"]


def description_yaml(descr: Any) -> str:
    """Return a description as YAML: what each part is comes first, then the keys in the order of its class."""
    return dump_yaml(unstructure(descr))


def save_description(descr: Any, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a description to a YAML file; files that it names are not copied.

    Raises:
        OutputError: There is such a file already, or it can not be written.

    """
    text = description_yaml(descr)
    try:
        with Path(path).open("w" if overwrite else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise OutputError(f"{path} exists already: expected a new file; allow to overwrite it, or choose another name") from None
    except OSError as error:
        raise OutputError(f"{path} can not be written: {error.strerror or error}") from None
