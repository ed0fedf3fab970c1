"""Run modes, in all versions of the model format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, TypeAlias

from ...typing import FrozenMapping
from ..extensions import Extension, Opaque
from ..node import Issue, Node, node

__all__ = ["OpaqueRunMode", "OptionalRunMode", "RunModeDescr"]

OF_THE_FORMAT = "deepimagej"


@node
class RunModeDescr(Node):
    """A way of running the model other than one call for each block; any name is allowed."""

    name: str
    kwargs: FrozenMapping[str, Any] = FrozenMapping()

    def problems(self) -> Iterator[Issue]:
        """Yield that the name is not one of the format's own."""
        yield from _custom(self.name)


@node
class OpaqueRunMode(Opaque):
    """A run mode without a class of arguments, or with arguments that its class refuses."""

    what: ClassVar[str] = "run mode"

    @property
    def kwargs(self) -> FrozenMapping[str, Any]:
        """The arguments as they are written."""
        kwargs = self.tree.get("kwargs")
        return kwargs if isinstance(kwargs, FrozenMapping) else FrozenMapping()

    def problems(self) -> Iterator[Issue]:
        """Yield that the name is not one of the format's own, then that the run mode could not be judged, or how it was."""
        yield from _custom(self.name)
        if self.refused or self.name != OF_THE_FORMAT:
            yield from super().problems()


def _custom(name: str) -> Iterator[Issue]:
    if name != OF_THE_FORMAT:
        yield Issue(loc=("name",), message=f"expected 'deepimagej', found the custom run mode {name!r}", severity="warning")


OptionalRunMode: TypeAlias = Annotated[RunModeDescr | None, Extension(kind="run_mode")]
"""A run mode whose arguments fit the class that the registry has for it, an `OpaqueRunMode`, or none."""
