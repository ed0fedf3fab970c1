"""Analyses a network along every axis: sizes, ratios and offsets, stride and receptive field."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import attrs

from ..blocks import FixedSize
from ..errors import ModelRunError
from ..prediction.geometry.network_geometry import AnalysedAxis, NetworkAnalysis
from ..prediction.geometry.signature import Signature, Variable, joint_variables
from .accepted_sizes import FoundSizes, find_sizes
from .network_caller import Network, NetworkCaller
from .receptive_field import find_receptive_field
from .stride import find_stride

__all__ = ["analyse_network"]

SMALL = 32
"""Smallest size along the axes that are not analysed at the moment."""


def analyse_network(
    network: Network, signature: Signature, report: Callable[[str, int, int], None] = lambda stage, done, total: None
) -> NetworkAnalysis:
    """Analyse a network by calling it with images of noise, a few hundred times at most.

    Args:
        network: Takes and returns arrays in the order of the signature.
        signature: Its tensors, and sizes that it takes.
        report: Progress callback, called as ``report(stage, done, total)``.

    Raises:
        ModelRunError: The network fails on the sizes of the signature.

    """
    caller = NetworkCaller(network, signature)
    variables = joint_variables(signature)
    first = caller.images(variables, {}, seed=0)
    if first is None:
        raise ModelRunError("the network cannot be analysed: the sizes of its inputs do not fit together")
    output_shapes = tuple(o.shape for o in caller.run(first))
    variables, sizes = _all_sizes(caller, variables, report)
    axes = []
    for number, (variable, found) in enumerate(zip(variables, sizes, strict=True)):
        report("reach", number, len(variables))
        others = {
            v.key: f.size.value if isinstance(f.size, FixedSize) else f.size.smallest(SMALL)
            for v, f in zip(variables, sizes, strict=True)
            if v is not variable
        }
        stride = find_stride(caller, variables, variable, found, others)
        outputs = find_receptive_field(caller, variables, variable, found, others, stride)
        axes.append(AnalysedAxis(axis=variable.axis, inputs=variable.members, size=found.size, stride=stride, outputs=outputs))
    report("reach", len(variables), len(variables))
    return NetworkAnalysis(axes=tuple(axes), output_shapes=output_shapes, calls=caller.calls)


def _all_sizes(
    caller: NetworkCaller, variables: tuple[Variable, ...], report: Callable[[str, int, int], None]
) -> tuple[tuple[Variable, ...], list[FoundSizes]]:
    """Return the variables with their sizes; variables of several inputs whose sizes are independent are split."""
    apart: list[Variable] = []
    for variable in variables:
        apart.extend(_apart(caller, variables, variable) if _separable(caller, variables, variable) else [variable])
    found = []
    for number, variable in enumerate(apart):
        report("sizes", number, len(apart))
        found.append(find_sizes(caller, tuple(apart), variable))
    report("sizes", len(apart), len(apart))
    return tuple(apart), found


def _apart(caller: NetworkCaller, variables: tuple[Variable, ...], variable: Variable) -> list[Variable]:
    """Return one variable for each input."""
    tensors = {i.id: i for i in caller.signature.inputs}
    return [
        attrs.evolve(
            variable,
            members=((name, Fraction(1)),),
            size=tensors[name].shape[tensors[name].axes.index(variable.axis)],
            fixed=(name, variable.axis) in caller.signature.fixed,
        )
        for name, _ in variable.members
    ]


def _separable(caller: NetworkCaller, variables: tuple[Variable, ...], variable: Variable) -> bool:
    """Return whether the inputs may differ in size along an axis: each can grow alone, and some output grows with it."""
    if len(variable.members) == 1 or variable.fixed:
        return False
    others = tuple(v for v in variables if v is not variable)
    alone = [find_sizes(caller, (*others, one), one) for one in _apart(caller, variables, variable)]
    return all(not isinstance(f.size, FixedSize) and f.laws for f in alone)
