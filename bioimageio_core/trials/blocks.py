"""Blockwise prediction of the test inputs against that of the whole."""

from __future__ import annotations

import attrs

from ..blocks import FixedSize
from ..errors import BioimageioError, BlockError, InputError
from ..prediction.loaded import LoadedModel
from ..prediction.options import PredictOptions
from ..prediction.predictor import Predictor
from ..prediction.test_tensors import load_test_inputs
from ..prediction.verify import verify_blocks
from .report import BlockTrial

__all__ = ["try_blocks"]

TOLERANCE = 1e-3
"""Greatest difference allowed, as ``|blockwise - whole| <= tolerance * max(1, |whole|)``: what the format allows test outputs."""

PER_MILLION = 100
"""Pixels out of a million that may differ by more, likewise."""


def try_blocks(model: LoadedModel, options: PredictOptions) -> BlockTrial:
    """Predict the test inputs, repeated until they span several blocks, in blocks and as a whole.

    What differs is noted, not failed: it is the halo that is described too small, and the weights give what they should.

    Args:
        model: The model.
        options: With the weights format that is to be used.

    """
    chosen = options.weights_format or ""
    try:
        with Predictor(model, options) as predictor:
            block = _blocks(predictor)
            if not block:
                return BlockTrial(
                    status="skipped", weights_format=chosen, message="no axis is described as one to be cut, by a halo or a fixed size"
                )
            predictor.options = attrs.evolve(predictor.options, block=block)
            report = verify_blocks(predictor, None, tolerance=TOLERANCE)
    except (InputError, BlockError) as error:
        return BlockTrial(status="skipped", weights_format=chosen, message=str(error))
    except BioimageioError as error:
        return BlockTrial(status="noted", weights_format=chosen, message=str(error))
    beyond = [o for o in report.outputs if o.beyond * 1e6 > PER_MILLION * o.pixels]
    message = "; ".join(f"output {o.output!r}: {o.beyond} of {o.pixels} pixels differ by more than {TOLERANCE:g}, {o.seam}" for o in beyond)
    return BlockTrial(
        status="noted" if beyond else "passed",
        weights_format=chosen,
        message=message,
        blocks=report.blocks,
        greatest_difference=max((o.greatest for o in report.outputs), default=0.0),
    )


def _blocks(predictor: Predictor) -> dict[str, int]:
    """Return the size of blocks along axes that may be cut: about as large as the test inputs."""
    inputs = load_test_inputs(predictor.model)
    axes = {t.id: ",".join(t.axis_ids) for t in predictor.model.io.inputs if t.id in inputs}
    plan = predictor.plan(inputs, axes=axes)
    block = {}
    for sized in plan.groups:
        group = sized.group
        if isinstance(group.size, FixedSize) and sized.cutting == "fixed":
            block[group.name] = group.size.value
        elif sized.cutting == "free":
            least = group.size.smallest(2 * (group.granularity + group.left + group.right))
            block[group.name] = max(least or 0, group.size.largest(sized.image_size) or 0)
    return block
