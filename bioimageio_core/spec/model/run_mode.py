"""Run modes, in all versions of the model format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from ...typing import FrozenMapping
from ..extensions import Extension, as_warnings
from ..freezing import thaw
from ..node import Node, Problem, node

__all__ = ["OpaqueRunMode", "OptionalRunMode", "RunModeDescr"]

OF_THE_FORMAT = "deepimagej"


@node
class RunModeDescr(Node):
    """A way of running the model other than one call for each block; any name is allowed."""

    name: str
    kwargs: FrozenMapping[str, Any] = FrozenMapping()

    def problems(self) -> Iterator[Problem]:
        """Yield that the name is not one of the format's own."""
        if self.name != OF_THE_FORMAT:
            yield Problem(loc=("name",), message=f"expected 'deepimagej', found the custom run mode {self.name!r}", severity="warning")


@node
class OpaqueRunMode(RunModeDescr):
    """A run mode that no plugin knows, or whose arguments the plugin which does refuses, kept whole."""

    tree: FrozenMapping[str, Any]
    refused: tuple[Problem, ...] = ()
    """What the plugin that brings the run mode has against its arguments."""

    def as_tree(self) -> dict[str, Any]:
        """Return the run mode as it was written."""
        tree: dict[str, Any] = thaw(self.tree)
        return tree

    def problems(self) -> Iterator[Problem]:
        """Yield that the run mode could not be judged, or how it was."""
        yield from super().problems()
        if self.refused:
            yield from as_warnings(self.name, self.refused)
        elif self.name != OF_THE_FORMAT:
            yield Problem(
                loc=(),
                message=f"expected a known run mode, found {self.name!r}, which neither the format nor an installed plugin knows",
                severity="alert",
                hint="Install the plugin that brings it; until then it is kept as it is, but can not be run.",
            )


OptionalRunMode: TypeAlias = Annotated[RunModeDescr | None, Extension(kind="run_mode")]
"""A run mode whose arguments fit the class that the registry has for it, an `OpaqueRunMode`, or none."""
