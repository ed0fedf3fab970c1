"""Parts of a description whose classes plugins bring, and opaque nodes for parts without a class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import attrs

from ..structuring.freezing import thaw
from ..typing import FrozenMapping
from .node import Issue, Node, node

__all__ = [
    "AlsoAs",
    "Extension",
    "Opaque",
    "OpaqueOp",
    "OpaqueWeights",
    "PostprocessingStep",
    "PreprocessingStep",
    "WeightsEntries",
]


@attrs.frozen(kw_only=True)
class Extension:
    """Marks a type that the registry resolves."""

    is_resolved_by_registry: ClassVar[bool] = True

    kind: Literal["preprocessing", "postprocessing", "weights", "run_mode"]


@attrs.frozen
class AlsoAs:
    """Marks an ``Annotated`` free mapping whose content has to fit a node class too; it stays a mapping."""

    cls: type[Node]


@node
class Opaque(Node):
    """A part without a class, or one that the class of a plugin refuses; kept unchanged. Neither makes a description invalid."""

    what: ClassVar[str]

    name: str
    tree: FrozenMapping[str, Any]
    refused: tuple[Issue, ...] = ()
    """Why the class of the plugin refuses it."""

    def as_tree(self) -> dict[str, Any]:
        """Return the part as it was written."""
        tree: dict[str, Any] = thaw(self.tree)
        return tree

    def problems(self) -> Iterator[Issue]:
        """Yield that no class is known for the part, or why its class refuses it."""
        for problem in self.refused:
            hint = problem.hint or f"The installed plugin for {self.name!r} refuses this, so it cannot run here."
            yield attrs.evolve(problem, severity="warning", hint=hint)
        if not self.refused:
            yield Issue(
                loc=(),
                message=f"expected a known {self.what}, found {self.name!r}, which neither the format nor an installed plugin knows",
                severity="alert",
                hint="Install a plugin for it; without one it is kept unchanged, but cannot run.",
            )


@node
class OpaqueOp(Opaque):
    """A processing step without a class."""

    what: ClassVar[str] = "processing op"


@node
class OpaqueWeights(Opaque):
    """A weights entry without a class."""

    what: ClassVar[str] = "weights format"

    @property
    def parent(self) -> str | None:
        """The weights format that these weights were converted from, where the entry says so."""
        parent = self.tree.get("parent")
        return parent if isinstance(parent, str) else None


PreprocessingStep: TypeAlias = Annotated[Node, Extension(kind="preprocessing")]
"""A node of the class that the registry has for the op, or an `OpaqueOp`."""

PostprocessingStep: TypeAlias = Annotated[Node, Extension(kind="postprocessing")]
"""A node of the class that the registry has for the op, or an `OpaqueOp`."""

WeightsEntries: TypeAlias = Annotated[FrozenMapping[str, Any], Extension(kind="weights")]
"""Weights entries by weights format: nodes of the classes that the registry has, or `OpaqueWeights`; null entries are left out."""
