"""Weights that take fewer sizes than the description says: files exported for one size of an otherwise free network.

What an adapter's entry reads from the file shapes the plan; what else the loaded network requires is checked before it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ...blocks import FixedSize, SteppedSize
from ...errors import BioimageioError, InputError, PluginError
from ...registry import WeightsAdapter, blamed
from ...typing import AxisId
from ..model.loaded_model import LoadedModel
from ..model.tensor_spec import AxisIO, ModelIO, TensorIO
from ..model.weights_selection import WeightsChoice, choose_weights
from ..option_values import by_axis_of_model
from ..options import PlanOptions
from .plan import Plan
from .planned_tensors import PlannedInput

__all__ = ["SizedWeights", "check_fixed_input_shapes", "choose_sized_weights", "fixed_size_conflict"]


@attrs.frozen(kw_only=True)
class SizedWeights:
    """The chosen weights, and the inputs and outputs of the model with the sizes that they take."""

    choice: WeightsChoice
    io: ModelIO
    warnings: tuple[str, ...] = ()
    """Lines that say so, if the weights take fewer sizes than the description says, or others are used for that reason."""


def choose_sized_weights(model: LoadedModel, options: PlanOptions) -> SizedWeights:
    """Choose weights as `choose_weights` does; the next ones if these require sizes that the description or `block` excludes.

    Args:
        model: The model. Weights that are not on this machine yet are not fetched, and taken as described.
        options: Those of `choose_weights`, and `block`.

    Raises:
        InputError: The requested weights, or all that run here, require other sizes.
        BioimageioError: As `choose_weights` does.

    """
    kinds = {a.id: a.kind for t in model.io.inputs for a in t.axes}
    block = by_axis_of_model("block", options.block, kinds, [axis for axis, kind in kinds.items() if kind == "space"])
    weights, refused = dict(model.weights), dict[str, InputError]()
    while True:
        try:
            choice = choose_weights(weights, model.registry, options)
        except BioimageioError:
            if refused:
                raise next(iter(refused.values())) from None
            raise
        try:
            io, required = _with_required_sizes(model, choice, block)
        except InputError as error:
            refused[choice.weights_format] = error
            del weights[choice.weights_format]
            if options.weights_format is not None or not weights:
                raise next(iter(refused.values())) from None
            continue
        passed = tuple(f"{error}; the {choice.weights_format} weights are used" for error in refused.values())
        return SizedWeights(choice=choice, io=io, warnings=passed + required)


def _with_required_sizes(model: LoadedModel, choice: WeightsChoice, block: Mapping[AxisId, int]) -> tuple[ModelIO, tuple[str, ...]]:
    """Return inputs and outputs with the sizes that weights require, and a line for each input that is described with more sizes."""
    inputs, lines = [], []
    for tensor, shape in zip(model.io.inputs, _required_shapes(model, choice), strict=False):
        sizes = dict(zip(tensor.axis_ids, shape, strict=False))
        axes = tuple(_narrowed(tensor, axis, sizes.get(axis.id), choice, block) for axis in tensor.axes)
        narrowed = [axis.id for axis, before in zip(axes, tensor.axes, strict=True) if axis != before]
        inputs.append(attrs.evolve(tensor, axes=axes))
        if narrowed:
            listed = " and ".join(f"{axis} {sizes[axis]}" for axis in narrowed)
            lines.append(
                f"the {choice.weights_format} weights take only the size {listed} of input {tensor.id!r}, though the description allows "
                "others: all blocks have that size"
            )
    return attrs.evolve(model.io, inputs=(*inputs, *model.io.inputs[len(inputs) :])), tuple(lines)


def _required_shapes(model: LoadedModel, choice: WeightsChoice) -> list[tuple[int | None, ...]]:
    """Return what the adapter's entry reads from the file, if it can and the file is on this machine.

    Raises:
        PluginError: The plugin's function fails.

    """
    read = model.registry.weights_adapters[choice.adapter].input_shapes
    source = str(model.weights[choice.weights_format].source)
    if read is None or model.package.size_of(source) is None:
        return []
    what = f"input_shapes of {model.registry.words_for('weights_adapters', choice.adapter)}"
    try:
        path = str(model.package.local(source))
        with blamed(what, passing=(OSError, ValueError)):
            return [tuple(shape) for shape in read(path, [t.id for t in model.io.inputs])]
    except PluginError:
        raise
    except (BioimageioError, OSError, ValueError):  # of broken weights; loading them says more
        return []


def _narrowed(tensor: TensorIO, axis: AxisIO, required: int | None, choice: WeightsChoice, block: Mapping[AxisId, int]) -> AxisIO:
    """Return an axis with the one size that weights take, or as it is if that is no narrower.

    Raises:
        InputError: The description or an option excludes the size.

    """
    if required is None or axis.kind not in ("space", "time") or not isinstance(axis.size, FixedSize | SteppedSize):
        return axis
    what = f"the {choice.weights_format} weights take only the size {required} along axis {axis.id!r} of {tensor.id!r}"
    other = "use weights of another format, weights_format= (--weights-format)"
    if isinstance(axis.size, FixedSize):
        if axis.size.value == required:
            return axis
        raise InputError(f"{what}, but the description fixes it to {axis.size.value}: {other}, or correct the description")
    if axis.size.smallest(required) != required:
        raise InputError(f"{what}, which the description excludes: {other}, or correct the description")
    if block.get(axis.id, required) != required:
        raise InputError(
            f"{what}, found block={{'{axis.id}': {block[axis.id]}}} (--block {axis.id}={block[axis.id]}): leave it out, or {other}"
        )
    return attrs.evolve(axis, size=FixedSize(required), stride=axis.size.step or None)


def fixed_size_conflict(
    adapter: WeightsAdapter, given: Sequence[tuple[str, Sequence[str], Sequence[int]]]
) -> tuple[str, str, int, int] | None:
    """Return the first conflict between fixed sizes of the weights and the sizes of given inputs.

    Args:
        adapter: The network; its optional attribute ``input_shapes`` has the fixed sizes.
        given: Id, ids of the axes, and shape of each input, in described order.

    Returns:
        Id of the input, id of the axis, the given size, and the required size; None without a conflict.

    """
    for required, (tensor, axes, sizes) in zip(getattr(adapter, "input_shapes", ()), given, strict=False):
        for axis, size, only in zip(axes, sizes, required, strict=False):
            if only not in (None, size):
                return tensor, axis, size, only
    return None


def check_fixed_input_shapes(plan: Plan, adapter: WeightsAdapter) -> None:
    """Refuse blocks whose sizes the weights cannot take, before anything is computed.

    Raises:
        InputError: A block has a different size; the message has the remedy.

    """
    for last in (False, True):
        given = [(i.id, i.bound.tensor.axis_ids, _block_shape(plan, i, last=last)) for i in plan.inputs]
        found = fixed_size_conflict(adapter, given)
        if found is not None:
            tensor, axis, size, only = found
            described = next((a.size for i in plan.inputs if i.id == tensor for a in i.bound.tensor.axes if a.id == axis), None)
            remedy = f"blocks of that size, block={{'{axis}': {only}}} (--block {axis}={only})"
            if axis == "batch":
                remedy = "fewer blocks at once, batch_size= (--batch-size)"
            elif isinstance(described, FixedSize):
                remedy = "correct the description"
            raise InputError(
                f"the {plan.weights.weights_format} weights require size {only} along axis {axis!r} of {tensor!r}, "
                f"in contradiction to the description, and a block has {size}: "
                f"use weights of another format, weights_format= (--weights-format), or {remedy}"
            )


def _block_shape(plan: Plan, planned: PlannedInput, *, last: bool) -> list[int]:
    """Return the shape of the first or last block of an input, along the axes of its tensor."""
    shape = []
    ties = planned.ties[len(planned.bound.axes) - len(planned.bound.tensor.axes) :]
    for axis, tie, size in zip(planned.bound.tensor.axis_ids, ties, planned.bound.shape[-len(ties) :], strict=True):
        if axis == "batch":
            shape.append(plan.batch_size)
        elif tie is None:
            shape.append(size)
        else:
            grid = plan.grids[tie.grid]
            shape.append(tie.tied.size(grid.block_size(grid.count - 1 if last else 0)))
    return shape
