"""``bmz convert``."""

from __future__ import annotations

from typing import Any

import click

from .command_progress import command_progress
from .common_options import (
    device_option,
    import_option,
    include_outside_option,
    json_option,
    overwrite_option,
    timeout_option,
    trust_option,
)
from .terminal import print_json, say
from .value_completion import installed_names
from .verbosity_options import verbosity_options

__all__ = ["command"]


@click.command(epilog="Example: bmz convert path/to/model --to onnx -o model-with-onnx")
@click.argument("model", type=click.Path())
@click.option(
    "--to",
    "to_format",
    shell_complete=installed_names("weights_formats"),
    required=True,
    metavar="FORMAT",
    help="Weights format to add, as in onnx or torchscript.",
)
@click.option("-o", "--output", type=click.Path(), required=True, help="Zip file (a name that ends in .zip) or folder to write.")
@click.option(
    "--from",
    "weights_format",
    shell_complete=installed_names("weights_formats"),
    metavar="FORMAT",
    show_default="those with a converter",
    help="Weights to convert.",
)
@device_option
@import_option
@timeout_option
@trust_option
@include_outside_option
@overwrite_option
@verbosity_options
@json_option
def command(model: str, to_format: str, output: str, overwrite: bool, as_json: bool, **options: Any) -> None:
    """Write MODEL with all its files and with weights in another format, converted from its own.

    The converted weights must reproduce the test outputs, accept the described sizes, and agree with the original weights.
    Otherwise nothing is written, and the exit status is 1. Plugins provide the converters; 'bmz plugins' lists them.
    """
    from ..api import convert_weights

    with command_progress(shown=not as_json) as progress:

        def show_stage(stage: str) -> None:
            if progress is not None:
                progress(stage, 0, 1)

        converted = convert_weights(model, to_format, output, overwrite=overwrite, report=show_stage, **options)
    for line in () if as_json else converted.warnings:
        say(f"warning: {line}", err=True)
    if as_json:
        print_json(
            {
                "output": str(converted.path),
                "from": converted.from_format,
                "to": converted.to_format,
                "converter": converted.converter,
                "sizes": converted.sizes,
                "contents": converted.contents,
                "warnings": converted.warnings,
                "deviation_from_parent": dict(converted.deviations),
                "deviation_from_test_outputs": {o.output: o.greatest_deviation for o in converted.test.outputs},
            }
        )
        return
    from ..report.text.converted_text import converted_text

    say(converted_text(converted))
