"""``bmz plan``."""

from __future__ import annotations

from typing import Any

import click

from .command_progress import command_progress
from .common_options import json_option
from .grouped_options import GroupedCommand
from .image_arguments import check_axes_known, image_inputs
from .prediction_options import chain_options, prediction_options
from .terminal import print_json, say

__all__ = ["command"]


@click.command(cls=GroupedCommand, epilog="Example: bmz plan path/to/model image.zarr --memory '4 GB'")
@click.argument("model", type=click.Path())
@click.argument("images", type=click.Path(), nargs=-1, required=True)
@prediction_options
@chain_options
@json_option
def command(model: str, images: tuple[str, ...], then: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Show how MODEL would predict IMAGES; runs nothing, except the network on noise with --probe."""
    from ..api import open_predictor
    from ..prediction.planning.plan_json import plan_as_dict
    from ..report.text.plan_text import plan_text

    inputs = image_inputs(images)
    with open_predictor([model, *then], **given) as predictor:
        plan = predictor.plan(inputs)
        if given["probe"] and not plan.profile.measured:
            with command_progress(shown=not as_json) as progress:
                predictor.probe(inputs, progress=progress)
            plan = predictor.plan(inputs)
    check_axes_known(plan, as_json=as_json)
    if as_json:
        print_json(plan_as_dict(plan))
    else:
        say(plan_text(plan))
