"""What has to be known of a network before it can be measured: its tensors, and sizes that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import attrs

from ..typing import AxisId

__all__ = ["NetworkInput", "NetworkOutput", "Signature", "Variable", "joint_variables", "shape_at"]


@attrs.frozen(kw_only=True)
class NetworkInput:
    """An input of a network."""

    id: str
    axes: tuple[AxisId, ...]
    dtype: str
    shape: tuple[int, ...]
    """Sizes that the network takes."""

    optional: bool = False
    """Left out of all calls."""


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
    """Ids of the axes to measure: all but batch and channels, as a rule."""

    fixed: frozenset[tuple[str, AxisId]] = frozenset()
    """Axes of inputs of which the graph itself says that they have one size only."""

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
    """Of the first, to start from."""

    fixed: bool = False

    @property
    def key(self) -> tuple[str, AxisId]:
        """What tells it from others."""
        return self.members[0][0], self.axis

    def ratio_of(self, tensor: str) -> Fraction | None:
        """Return pixels of an input per pixel of the first; None where it is not part of this."""
        return dict(self.members).get(tensor)


def joint_variables(signature: Signature) -> tuple[Variable, ...]:
    """Return one variable for each analysed axis id, with all inputs that have it."""
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
    """Return the shape of an input where variables have other sizes than at first; None where it would not be whole."""
    shape = list(tensor.shape)
    for variable in variables:
        ratio = variable.ratio_of(tensor.id)
        if ratio is not None and variable.key in sizes:
            size = sizes[variable.key] * ratio
            if size.denominator != 1:
                return None
            shape[tensor.axes.index(variable.axis)] = int(size)
    return tuple(shape)
