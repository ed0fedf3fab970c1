"""Measures whether blockwise prediction equals prediction of the whole image."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from ..blocks import AxisTie, FixedSize
from ..errors import BlockError, InputError
from ..objects import match_labels
from ..shown import Shown
from ..typing import AxisId, FrozenMapping
from .model.test_tensors import load_test_inputs
from .output.result import Prediction
from .planning.blocks.axis_groups import Cutting
from .planning.plan import Plan
from .predictor import Predictor

__all__ = ["PER_MILLION", "TOLERANCE", "OutputDifference", "VerifyReport", "blocks_of_test_size", "verify_blocks"]

TOLERANCE = 1e-4
"""Greatest difference of equal pixels, as ``|blockwise - reference| <= tolerance * max(1, |reference|)``: frameworks round differently for
blocks of different sizes."""

PER_MILLION = 100
"""Pixels per million that may differ by more, as the format allows for test outputs: where a network rounds, as to labels, a difference
in the last digit becomes one of 1."""

BLOCKS_TO_SPAN = 2.5
"""Number of blocks along every cut axis that repeated test inputs span at least."""


@attrs.frozen(kw_only=True)
class OutputDifference:
    """The greatest difference of an output between blockwise and reference prediction."""

    output: str
    greatest: float
    """Greatest ``|blockwise - reference| / max(1, |reference|)``; of labels, 1 if a pixel is in another object, else 0."""

    at: FrozenMapping[AxisId, int]
    """Position of the greatest difference, by axis."""

    beyond: int
    """Number of pixels beyond the tolerance."""

    pixels: int
    """Number of pixels of the output."""

    seam: str
    """The border between blocks next to the greatest difference, and how far differences reach; empty if equal."""

    @property
    def equal(self) -> bool:
        """Whether at most `PER_MILLION` pixels per million are beyond the tolerance."""
        return self.beyond * 1e6 <= PER_MILLION * self.pixels


@attrs.frozen(kw_only=True, repr=False)
class VerifyReport(Shown):
    """Comparison of blockwise prediction with a reference."""

    model: str
    reference: Literal["whole", "shifted grid"]
    """``whole``: the image in one block. ``shifted grid``: blocks with more halo, whose seams are elsewhere, for networks of fixed size."""

    shape: tuple[int, ...]
    blocks: int
    reference_blocks: int
    tolerance: float
    outputs: tuple[OutputDifference, ...]
    plan: Plan

    @property
    def equal(self) -> bool:
        """Whether all outputs are equal within the tolerance."""
        return all(o.equal for o in self.outputs)

    def __repr__(self) -> str:
        return f"<VerifyReport {self.model!r}: {'equal' if self.equal else 'DIFFERENT'}; {self.blocks} blocks against the {self.reference}>"


def verify_blocks(predictor: Predictor, inputs: Any, *, tolerance: float = TOLERANCE) -> VerifyReport:
    """Predict in blocks and with a reference, and compare.

    Raises:
        InputError: The image is a single block, or the fixed size of the network leaves no room for a second grid.

    """
    options: dict[str, Any] = {}
    if inputs is None:
        if not predictor.options.block:
            options["block"] = blocks_of_test_size(predictor, ("free", "if_needed"))
        options["axes"] = {t.id: ",".join(t.axis_ids) for t in predictor.model.io.inputs}
        inputs = _spanning_test_inputs(predictor, options)
    plan = predictor.plan(inputs, **options)
    if plan.regions.block_count == 1 or not any(_is_cut(plan, n) for n in range(len(plan.grids))):
        fixed = any(sized.cutting == "one_call" for sized in plan.groups)
        size = " of the one size that the network takes" if fixed else ""
        smaller = "" if fixed else ", or smaller blocks with block={'y': 256} (--block y=256)"
        raise InputError(f"the image is a single block{size}, so there are no seams to verify: give a larger image{smaller}")
    changes, kind = _reference_options(predictor, inputs, plan, options)
    blockwise = predictor.run(plan)
    reference = predictor.predict(inputs, **{**options, **changes})
    assert reference.plan is not None  # this process planned
    return VerifyReport(
        model=plan.model.name,
        reference=kind,
        shape=plan.inputs[0].bound.shape,
        blocks=plan.regions.block_count,
        reference_blocks=reference.plan.regions.block_count,
        tolerance=tolerance,
        outputs=tuple(_compare(o.id, blockwise, reference, tolerance) for o in plan.outputs),
        plan=plan,
    )


def _is_cut(plan: Plan, number: int) -> bool:
    return plan.grids[number].count > 1 and plan.groups[number].cutting != "per_item"


def _reference_options(
    predictor: Predictor, inputs: Any, plan: Plan, options: dict[str, Any]
) -> tuple[dict[str, Any], Literal["whole", "shifted grid"]]:
    """Return options that predict the image in one block, or, if sizes are fixed, on a grid with more halo.

    The halo grows by the granularity, so that the network sees the same phase while all seams move;
    if a block has no room for that, by half of it, and so on.
    """
    cut = [n for n in range(len(plan.grids)) if _is_cut(plan, n)]
    if not any(isinstance(plan.grids[n].group.size, FixedSize) for n in cut):
        whole = {plan.grids[n].group.name: 2 * plan.grids[n].image_size + _overlap(plan, n) for n in cut}
        return {"block": whole, "batch_size": 1}, "whole"
    growth = {n: plan.grids[n].group.granularity for n in cut}
    while True:
        halo: dict[AxisId, int] = {}
        for n, grid in enumerate(plan.grids):
            for output in grid.group.outputs:
                halo[output.axis] = max(halo.get(output.axis, 0), output.halo + (output.at(growth[n]) if n in growth else 0))
        try:
            predictor.plan(inputs, **{**options, "halo": halo})
        except BlockError as error:
            growth = {n: more // 2 for n, more in growth.items() if (more // 2) % plan.grids[n].group.denominator == 0 and more > 1}
            if not growth:
                raise InputError(f"the fixed size leaves no room for a second grid to compare with: {error}") from None
        else:
            return {"halo": halo}, "shifted grid"


def _overlap(plan: Plan, number: int) -> int:
    group = plan.grids[number].group
    smallest = group.size.smallest(plan.grids[number].image_size + group.left + group.right)
    return group.left + group.right + (smallest or 0)


def _compare(output: str, blockwise: Prediction, reference: Prediction, tolerance: float) -> OutputDifference:
    got, expected = np.asarray(blockwise[output]), np.asarray(reference[output])
    axes = blockwise[output].axes
    assert blockwise.plan is not None
    assert reference.plan is not None
    if next(o for o in blockwise.plan.outputs if o.id == output).labelling is not None:
        got, expected = match_labels(got, expected).differs, np.zeros(got.shape, bool)
    if got.dtype.kind == "b":
        got, expected = got.astype(np.uint8), expected.astype(np.uint8)
    exact = expected.astype(np.float64)
    difference = np.abs(got.astype(np.float64) - exact) / np.maximum(1.0, np.abs(exact))
    difference = (
        np.where(np.isnan(got) & np.isnan(exact), 0.0, np.nan_to_num(difference, nan=np.inf)) if got.dtype.kind == "f" else difference
    )
    at = (
        tuple(int(i) for i in np.unravel_index(int(np.argmax(difference)), difference.shape)) if difference.size else (0,) * difference.ndim
    )
    greatest = float(difference[at]) if difference.size else 0.0
    beyond = difference > tolerance
    return OutputDifference(
        output=output,
        greatest=greatest,
        at=FrozenMapping(dict(zip(axes, at, strict=True))),
        beyond=int(np.count_nonzero(beyond)),
        pixels=int(beyond.size),
        seam=_locate(blockwise.plan, reference.plan, output, beyond, at) if beyond.any() else "",
    )


def _locate(blockwise: Plan, reference: Plan, output: str, beyond: NDArray[np.bool_], at: tuple[int, ...]) -> str:
    """Return, in words, the border between blocks next to the greatest difference, and how far differences reach."""
    planned = next(o for o in blockwise.outputs if o.id == output)
    where = np.nonzero(beyond)
    nearest = np.full(where[0].size, np.iinfo(np.int64).max)
    border: tuple[int, str] | None = None
    strides, halos = [], []
    for n, tie in enumerate(planned.ties):
        if tie is None or not _is_cut(blockwise, tie.grid):
            continue
        own = _borders(blockwise, tie)
        ends = np.array([0, beyond.shape[n]])  # blocks also end there, in their padding
        distances = _distances(np.concatenate([own, _borders(reference, tie), ends]), beyond.shape[n])
        nearest = np.minimum(nearest, distances[where[n]])
        position = int(np.argmin(np.abs(own - at[n])))
        away = abs(int(own[position]) - at[n])
        if border is None or away < border[0]:
            border = (away, f"seam at {planned.axes[n]} = {own[position]}, between blocks {position} and {position + 1}")
        strides.append(tie.tied.at(blockwise.grids[tie.grid].stride))
        halos.append(tie.tied.halo)
    assert border is not None  # at least one axis is cut
    reach = int(nearest.max()) + 1
    if 2 * reach < min(strides):
        return (
            f"{border[1]}; differences reach {reach} pixels from borders of blocks: "
            f"the halo of {max(halos)} is too small by at least that much: give a larger halo= (--halo), "
            "or measure it with analyse_network() (bmz info MODEL --measure) and give halo='measured' (--halo measured)"
        )
    return (
        f"{border[1]}; pixels up to {reach} from any border differ, that is, complete blocks: "
        "their origins are off the stride of the network, network_stride= (--network-stride), or the "
        "halo is far too small, halo= (--halo): "
        "analyse_network() (bmz info MODEL --measure) measures both"
    )


def _borders(plan: Plan, tie: AxisTie) -> NDArray[np.int64]:
    grid = plan.grids[tie.grid]
    return np.array([grid.core(k, tie.tied)[0] for k in range(1, grid.count)], dtype=np.int64)


def _distances(borders: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return, for every pixel of an axis, its distance to the nearest border."""
    pixels = np.arange(size)
    away = np.where(pixels[:, None] >= borders[None, :], pixels[:, None] - borders[None, :], borders[None, :] - 1 - pixels[:, None])
    return np.asarray(away.min(axis=1))


def blocks_of_test_size(predictor: Predictor, cutting: Collection[Cutting]) -> dict[AxisId, int]:
    """Return block sizes about as large as the test inputs, so that repeated test inputs span several blocks.

    Args:
        predictor: The predictor of the model.
        cutting: The kinds of axis groups to cut.

    """
    inputs = load_test_inputs(predictor.model)
    axes = {t.id: ",".join(t.axis_ids) for t in predictor.model.io.inputs if t.id in inputs}
    block = {}
    for sized in predictor.plan(inputs, axes=axes).groups:
        group = sized.group
        kind = "fixed" if sized.cutting == "one_call" else sized.cutting
        if kind in cutting and isinstance(group.size, FixedSize):
            block[group.name] = group.size.value
        elif kind in cutting:
            least = group.size.smallest(2 * (group.granularity + group.left + group.right))
            block[group.name] = max(least or 0, group.size.largest(sized.image_size) or 0)
    return block


def _spanning_test_inputs(predictor: Predictor, options: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the test inputs, mirrored and repeated along axes that can be cut, so that they span a few blocks."""
    model = predictor.model
    inputs = load_test_inputs(model)
    plan = predictor.plan(inputs, **options)
    for planned in plan.inputs:  # a run mode may add axes, which test inputs lack
        described, axes = model.io.tensor(planned.id).axis_ids, planned.bound.tensor.axis_ids
        inputs[planned.id] = np.expand_dims(inputs[planned.id], [n for n, a in enumerate(axes) if a not in described])
        options["axes"][planned.id] = ",".join(axes)
    blocks = predictor.with_options(**options).block
    repeats: dict[tuple[str, AxisId], int] = {}
    for grid, sized in zip(plan.grids, plan.groups, strict=True):
        if sized.cutting in ("per_item", "whole"):
            continue
        block = blocks.get(grid.group.name, grid.block_size(0))
        times = max(1, int(np.ceil(BLOCKS_TO_SPAN * block / grid.image_size)))
        repeats.update({(t.tensor, t.axis): times for t in grid.group.inputs})
    for planned in plan.inputs:
        name = planned.id
        for n, axis in enumerate(planned.bound.tensor.axis_ids):
            times = repeats.get((name, axis), 1)
            if times > 1:
                array = inputs[name]
                inputs[name] = np.concatenate([array if k % 2 == 0 else np.flip(array, n) for k in range(times)], axis=n)
    return inputs
