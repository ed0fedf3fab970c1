"""Descriptions as YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import OutputError
from .structuring import unstructure
from .yaml import dump_yaml

__all__ = ["description_yaml", "save_description"]

_FIRST = ("format_version", "type", "name", "id")


def description_yaml(descr: Any) -> str:
    """Return a description as YAML: what each part is comes first, then the keys in the order of its class."""
    return dump_yaml(_in_order(unstructure(descr)))


def _in_order(tree: Any) -> Any:
    if isinstance(tree, dict):
        first = {key: tree[key] for key in _FIRST if key in tree}
        return {key: value if key == "config" else _in_order(value) for key, value in {**first, **tree}.items()}
    return [_in_order(item) for item in tree] if isinstance(tree, list) else tree


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
