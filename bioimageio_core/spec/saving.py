"""Descriptions as YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..atomic_files import write_text
from ..errors import BioimageioError
from ..registry import Registry
from .converters import unstructured
from .yaml import dump_yaml, load_yaml

__all__ = ["description_yaml", "save_description"]


def description_yaml(descr: Any, registry: Registry) -> str:
    """Return a description as YAML: keys that identify each part come first, the others in the order of its class.

    Args:
        descr: The description.
        registry: The plugins that bring parts of it, with their hooks.

    """
    return dump_yaml(unstructured(descr, registry))


def save_description(descr: Any, path: str | Path, registry: Registry, *, overwrite: bool = False) -> None:
    """Write a description to a YAML file; files that it names are not copied.

    Args:
        descr: The description.
        path: The file.
        registry: The plugins that bring parts of it, with their hooks.
        overwrite: Replace a file that is there.

    Raises:
        OutputError: There is such a file already, or it cannot be written.

    """
    write_text(path, description_yaml(descr, registry), overwrite=overwrite, replaces=("description", _is_description))


def _is_description(text: str) -> bool:
    """Return whether a text is a description of any resource, also an invalid one."""
    try:
        tree = load_yaml(text)
    except BioimageioError:
        return False
    return isinstance(tree, Mapping) and bool({"format_version", "type"} & {*tree})
