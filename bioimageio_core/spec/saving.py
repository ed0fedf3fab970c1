"""Descriptions as YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..atomic_files import write_text
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
    write_text(path, description_yaml(descr), overwrite=overwrite)
