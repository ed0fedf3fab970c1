"""The class of each resource type and format version, and the upgrade to its latest micro version; imported when used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeAlias

from ..typing import ModelFormat
from .formats import Family
from .node import Issue

__all__ = ["NEWEST", "Upgrade", "class_of", "converter_format", "format_of", "upgrade_of"]

Upgrade: TypeAlias = Callable[[Mapping[str, Any], tuple[int, int, int]], tuple[dict[str, Any], list[Issue]]]

NEWEST: dict[Family, str] = {"application": "0.3", "dataset": "0.3", "generic": "0.3", "model": "0.5", "notebook": "0.3"}
"""The newest format version (major.minor) of each type."""


def class_of(family: Family, format: str) -> Any:  # noqa: A002 (the word of the format)
    """Return the description class of a resource type and a format version such as ``0.3``."""
    module = import_module(f".{family}.v{format.replace('.', '_')}", __package__)
    return getattr(module, f"{family.capitalize()}Descr")


def upgrade_of(family: Family, format: str) -> Upgrade:  # noqa: A002
    """Return the function that brings trees of a format version to its latest micro version."""
    version = f"v{format.replace('.', '_')}"
    name = f".model.{version}.upgrade" if family == "model" else f".generic.upgrade_{version}"
    upgrade: Upgrade = import_module(name, __package__).upgrade
    return upgrade


def format_of(descr: Any) -> str:
    """Return the format version (major.minor) of a description."""
    return str(descr.format_version).rpartition(".")[0]


def converter_format(family: Family, format: str) -> ModelFormat:  # noqa: A002
    """Return the format version of the classes of ops and weights; only models have any."""
    return "0.4" if family == "model" and format == "0.4" else "0.5"
