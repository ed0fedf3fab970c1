"""Compares blockwise prediction of the test inputs with their prediction in one block."""

from __future__ import annotations

import attrs

from ..errors import BioimageioError, BlockError, InputError
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.options import PredictOptions
from ..prediction.predictor import Predictor
from ..prediction.verify import blocks_of_test_size, verify_blocks
from .test_report import BlockTrial

__all__ = ["try_blocks"]


def try_blocks(model: LoadedModel, options: PredictOptions) -> BlockTrial:
    """Predict the test inputs, repeated until they span several blocks, in several blocks and in one.

    A difference has the status "noted", not "failed": the described halo is too small, while the weights give the expected outputs.

    Args:
        model: The model.
        options: Options with the weights format to use.

    """
    chosen = options.weights_format or ""
    try:
        with Predictor(model, options) as predictor:
            block = blocks_of_test_size(predictor, ("free", "fixed"))
            if not block:
                return BlockTrial(
                    status="skipped", weights_format=chosen, message="no axis is described as one to be cut, by a halo or a fixed size"
                )
            predictor.options = attrs.evolve(predictor.options, block=block)
            report = verify_blocks(predictor, None)
    except (InputError, BlockError) as error:
        return BlockTrial(status="skipped", weights_format=chosen, message=str(error))
    except BioimageioError as error:
        return BlockTrial(status="noted", weights_format=chosen, message=str(error))
    beyond = [o for o in report.outputs if not o.equal]
    message = "; ".join(
        f"output {o.output!r}: {o.beyond} of {o.pixels} pixels differ by more than {report.tolerance:g}, {o.seam}" for o in beyond
    )
    return BlockTrial(
        status="noted" if beyond else "passed",
        weights_format=chosen,
        message=message,
        blocks=report.blocks,
        greatest_difference=max((o.greatest for o in report.outputs), default=0.0),
    )
