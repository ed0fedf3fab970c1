"""The signature of a network: its tensors, and sizes that it takes, from which the analysis starts."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import attrs

from ...typing import AxisId

__all__ = ["NetworkInput", "NetworkOutput", "Signature", "Variable", "joint_variables", "shape_at"]


@attrs.frozen(kw_only=True)
class NetworkInput:
    """An input of a network."""

    id: str
    axes: tuple[AxisId, ...]
    dtype: str
    shape: tuple[int, ...]
    """A shape that the network takes."""

    optional: bool = False
    """Whether it is left out of all calls."""


@attrs.frozen(kw_only=True)
class NetworkOutput:
    """An output of a network."""

    id: str
    axes: tuple[AxisId, ...]


@attrs.frozen(kw_only=True)
class Signature:
    """Inputs and outputs of a network, in the order in which it takes and returns them."""

    inputs: tuple[NetworkInput, ...]
    outputs: tuple[NetworkOutput, ...]
    analysed: tuple[AxisId, ...]
    """Ids of the axes to analyse, usually all except batch and channels."""

    fixed: frozenset[tuple[str, AxisId]] = frozenset()
    """Axes of inputs that have one size only, by the graph."""

    @property
    def tensors(self) -> tuple[NetworkInput | NetworkOutput, ...]:
        """Inputs, then outputs."""
        return (*self.inputs, *self.outputs)


@attrs.frozen(kw_only=True)
class Variable:
    """Axes of inputs whose sizes change together."""

    axis: AxisId
    members: tuple[tuple[str, Fraction], ...]
    """Ids of inputs, and their pixels per pixel of the first."""

    size: int
    """Size of the first input, at which the analysis starts."""

    fixed: bool = False

    @property
    def key(self) -> tuple[str, AxisId]:
        """Identity of the variable."""
        return self.members[0][0], self.axis

    def ratio_of(self, tensor: str) -> Fraction | None:
        """Return pixels of an input per pixel of the first; None for inputs that are no members."""
        return dict(self.members).get(tensor)


def joint_variables(signature: Signature) -> tuple[Variable, ...]:
    """Return one variable for each analysed axis, with all inputs that have it."""
    found = []
    for axis in signature.analysed:
        holders = [(i.id, i.shape[i.axes.index(axis)]) for i in signature.inputs if axis in i.axes and not i.optional]
        if holders:
            first = holders[0][1]
            members = tuple((name, Fraction(size, first)) for name, size in holders)
            fixed = any((name, axis) in signature.fixed for name, _ in holders)
            found.append(Variable(axis=axis, members=members, size=first, fixed=fixed))
    return tuple(found)


def shape_at(tensor: NetworkInput, variables: tuple[Variable, ...], sizes: Mapping[tuple[str, AxisId], int]) -> tuple[int, ...] | None:
    """Return the shape of an input for sizes of variables; None where a size would not be an integer."""
    shape = list(tensor.shape)
    for variable in variables:
        ratio = variable.ratio_of(tensor.id)
        if ratio is not None and variable.key in sizes:
            size = sizes[variable.key] * ratio
            if size.denominator != 1:
                return None
            shape[tensor.axes.index(variable.axis)] = int(size)
    return tuple(shape)
