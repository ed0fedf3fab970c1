"""Run modes, in all versions of the model format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...typing import FrozenMapping
from ..node import Node, Problem, node

__all__ = ["RunModeDescr"]


@node
class RunModeDescr(Node):
    """A way of running the model other than one call for each block; any name is allowed."""

    name: str
    kwargs: FrozenMapping[str, Any] = FrozenMapping()

    def problems(self) -> Iterator[Problem]:
        """Yield that the name is not one of the format's own."""
        if self.name != "deepimagej":
            yield Problem(loc=("name",), message=f"expected 'deepimagej', found the custom run mode {self.name!r}", severity="warning")
