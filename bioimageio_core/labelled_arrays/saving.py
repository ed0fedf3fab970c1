"""The one place that looks up how arrays are saved, which is made above what it saves."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from .labelled_array import LabelledArray

__all__ = ["save_array", "save_outputs"]


def save_array(array: LabelledArray, path: object, *, output_format: str | None, overwrite: bool) -> None:
    """Save an array as `prediction.files.save_arrays` does, which knows the formats."""
    _saving().save_arrays([array], path, output_format=output_format, overwrite=overwrite)


def save_outputs(outputs: Mapping[str, LabelledArray], path: object, *, output_format: str | None, overwrite: bool) -> None:
    """Save outputs by id likewise."""
    named = [attrs.evolve(array, name=name) for name, array in outputs.items()]
    _saving().save_arrays(named, path, output_format=output_format, overwrite=overwrite)


def _saving() -> Any:
    return import_module("bioimageio_core.prediction.files.save_arrays")
