"""Choices of a plan that a resumed run must keep, since finished tasks depend on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from cattrs import Converter

__all__ = ["RunChoices"]


@attrs.frozen(kw_only=True)
class RunChoices:
    """Choices that depend on the machine and the memory budget, and determine what each task computes."""

    strides: tuple[int, ...]
    """Stride of the grid of each axis group, in pixels of its base axis."""

    blocks_per_region: tuple[int, ...]
    brick: tuple[int, ...]
    """Regions along each side of a brick; empty if regions are visited row by row."""

    regions_per_task: int
    batch_size: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return attrs.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunChoices:
        """Return the choices from the data of `as_dict`.

        Raises:
            cattrs.BaseValidationError: The data are something else.

        """
        return Converter().structure(data, cls)
