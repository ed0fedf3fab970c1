"""Parts of a description whose classes plugins bring, and what stands in where no plugin brings one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, TypeAlias

import attrs

from ..typing import FrozenMapping
from .freezing import thaw
from .node import Node, Problem, node

__all__ = [
    "AlsoAs",
    "Extension",
    "OpaqueOp",
    "OpaqueWeights",
    "PostprocessingStep",
    "PreprocessingStep",
    "WeightsEntries",
    "as_warnings",
]


@attrs.frozen(kw_only=True)
class Extension:
    """Marks a type that the registry resolves."""

    kind: Literal["preprocessing", "postprocessing", "weights", "run_mode"]


@attrs.frozen
class AlsoAs:
    """Marks an ``Annotated`` free mapping whose content has to fit a node class too; it stays a mapping."""

    cls: type[Node]


def as_warnings(name: str, refused: Iterable[Problem]) -> Iterator[Problem]:
    """Yield what a plugin has against a part that the format leaves to plugins: no error of the description, but it can not be run."""
    for problem in refused:
        hint = problem.hint or f"The installed plugin that brings {name!r} does not take this, so that it can not be run here."
        yield attrs.evolve(problem, severity="warning", hint=hint)


@node
class OpaqueOp(Node):
    """A processing step that no plugin knows, or that the plugin which does refuses, kept whole."""

    name: str
    tree: FrozenMapping[str, Any]
    refused: tuple[Problem, ...] = ()
    """What the plugin that brings the op has against it."""

    def as_tree(self) -> dict[str, Any]:
        """Return the step as it was written."""
        tree: dict[str, Any] = thaw(self.tree)
        return tree

    def problems(self) -> Iterator[Problem]:
        """Yield that the step could not be judged, or how it was."""
        if self.refused:
            yield from as_warnings(self.name, self.refused)
            return
        yield Problem(
            loc=(),
            message=f"expected a known processing op, found {self.name!r}, which neither the format nor an installed plugin knows",
            severity="alert",
            hint="Install the plugin that brings it; until then it is kept as it is, but can not be run.",
        )


@node
class OpaqueWeights(Node):
    """Weights in a format that no plugin knows, or that the plugin which does refuses, kept whole."""

    name: str
    tree: FrozenMapping[str, Any]
    refused: tuple[Problem, ...] = ()
    """What the plugin that brings the format has against the entry."""

    def as_tree(self) -> dict[str, Any]:
        """Return the entry as it was written."""
        tree: dict[str, Any] = thaw(self.tree)
        return tree

    @property
    def parent(self) -> str | None:
        """The weights format that these weights were converted from, where the entry says so."""
        parent = self.tree.get("parent")
        return parent if isinstance(parent, str) else None

    def problems(self) -> Iterator[Problem]:
        """Yield that the entry could not be judged, or how it was."""
        if self.refused:
            yield from as_warnings(self.name, self.refused)
            return
        yield Problem(
            loc=(),
            message=f"expected a known weights format, found {self.name!r}, which neither the format nor an installed plugin knows",
            severity="alert",
            hint="Install the plugin that brings it; until then the entry is kept as it is, but can not be run.",
        )


PreprocessingStep: TypeAlias = Annotated[Node, Extension(kind="preprocessing")]
"""A node of the class that the registry has for the op, or an `OpaqueOp`."""

PostprocessingStep: TypeAlias = Annotated[Node, Extension(kind="postprocessing")]
"""A node of the class that the registry has for the op, or an `OpaqueOp`."""

WeightsEntries: TypeAlias = Annotated[FrozenMapping[str, Any], Extension(kind="weights")]
"""Weights entries by weights format: nodes of the classes that the registry has, or `OpaqueWeights`; null entries are left out."""
