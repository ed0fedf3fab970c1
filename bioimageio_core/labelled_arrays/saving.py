"""The one place that looks up how arrays are saved, which is made above what it saves."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import attrs

__all__ = ["save_array", "save_outputs"]


def save_array(array: Any, path: object, *, output_format: str | None, overwrite: bool) -> None:
    """Save an array as `prediction.saving.save_arrays` does, which knows the formats."""
    _saving().save_arrays([array], path, output_format=output_format, overwrite=overwrite)


def save_outputs(outputs: Mapping[str, Any], path: object, *, output_format: str | None, overwrite: bool) -> None:
    """Save outputs by id likewise."""
    named = [attrs.evolve(array, name=name) for name, array in outputs.items()]
    _saving().save_arrays(named, path, output_format=output_format, overwrite=overwrite)


def _saving() -> Any:
    return import_module("bioimageio_core.prediction.saving.save_arrays")
