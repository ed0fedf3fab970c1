"""``bmz verify``."""

from __future__ import annotations

from typing import Any

import click

from .command_progress import command_progress
from .common_options import json_option
from .grouped_options import GroupedCommand
from .image_arguments import check_axes_known, image_inputs
from .prediction_options import prediction_options
from .terminal import print_json, say
from .verbosity_options import verbosity_options

__all__ = ["command"]


@click.command(cls=GroupedCommand, epilog="Example: bmz verify path/to/model --block y=256,x=256")
@click.argument("model", type=click.Path())
@click.argument("images", type=click.Path(), nargs=-1)
@click.option("--tolerance", type=float, default=1e-4, show_default=True, help="Greatest difference; relative for values above 1.")
@prediction_options
@verbosity_options
@json_option
def command(model: str, images: tuple[str, ...], tolerance: float, as_json: bool, **given: Any) -> int:
    """Measure whether MODEL predicts the same in blocks as for the whole image.

    Without IMAGES, the test inputs are repeated to span several blocks.
    A network with a fixed size is compared with itself on a shifted grid. Exit status 1 if they differ.
    """
    from ..api import open_predictor
    from ..prediction.verify import verify_blocks

    with open_predictor(model, **given) as predictor, command_progress(shown=not as_json) as progress:
        inputs = image_inputs(images) if images else None
        if inputs is not None:
            check_axes_known(predictor.plan(inputs), as_json=as_json)
        predictor.options = predictor.with_options(progress=progress)
        report = verify_blocks(predictor, inputs, tolerance=tolerance)
    if as_json:
        print_json(
            {
                "model": report.model,
                "equal": report.equal,
                "reference": report.reference,
                "shape": report.shape,
                "blocks": report.blocks,
                "reference_blocks": report.reference_blocks,
                "tolerance": report.tolerance,
                "outputs": [
                    {
                        "output": o.output,
                        "equal": o.equal,
                        "greatest": o.greatest,
                        "at": dict(o.at),
                        "beyond": o.beyond,
                        "pixels": o.pixels,
                        "seam": o.seam,
                    }
                    for o in report.outputs
                ],
            }
        )
    else:
        from ..report.text.verify_text import verify_text

        say(verify_text(report))
    return 0 if report.equal else 1
