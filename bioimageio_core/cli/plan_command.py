"""``bmz plan``."""

from __future__ import annotations

from typing import Any

import click

from .prediction_options import as_inputs, as_options, check_axes_known, prediction_options
from .terminal import print_json, progress_bars

__all__ = ["command"]


@click.command(epilog="Example: bmz plan path/to/model image.zarr --memory '4 GB'")
@click.argument("model")
@click.argument("images", nargs=-1, required=True)
@prediction_options
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(model: str, images: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Show how IMAGES would be predicted with MODEL; runs nothing but, with --probe, the network on noise."""
    from ..api import open_predictor
    from ..report.text.plan_text import plan_text

    with open_predictor(model, **as_options(given)) as predictor:
        plan = predictor.plan(as_inputs(images))
        if given["probe"] and not plan.profile.measured:
            with progress_bars(shown=not as_json) as progress:
                predictor.probe(as_inputs(images), progress=progress)
            plan = predictor.plan(as_inputs(images))
    check_axes_known(plan, as_json=as_json)
    if as_json:
        print_json(plan.as_dict())
    else:
        click.echo(plan_text(plan))
