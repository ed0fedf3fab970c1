"""Reproducibility tolerances that a description asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .config import ReproducibilityTolerance

__all__ = ["configured_tolerances"]


def configured_tolerances(config: Mapping[str, Any]) -> tuple[ReproducibilityTolerance, ...]:
    """Return the entries of ``config.bioimageio.reproducibility_tolerance``, in order."""
    from ....structuring.converter import plain_converter

    own = config.get("bioimageio")
    trees = own.get("reproducibility_tolerance") if isinstance(own, Mapping) else None
    if not isinstance(trees, tuple):
        return ()
    converter = plain_converter()
    return tuple(converter.structure(tree, ReproducibilityTolerance) for tree in trees)
