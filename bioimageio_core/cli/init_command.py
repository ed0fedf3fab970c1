"""``bmz init``."""

from __future__ import annotations

from pathlib import Path

import click

from .command_progress import command_progress
from .common_options import import_option, json_option, overwrite_option, trust_option
from .parameter_types import AXIS_SIZES, INPUT_AXES
from .terminal import issues_as_data, print_json, say
from .value_completion import installed_names

__all__ = ["command"]


@click.command(epilog="Example: bmz init model.onnx -o my-model")
@click.argument("file", type=click.Path())
@click.option("-o", "--output", type=click.Path(), show_default="the name of FILE without its extension", help="Folder to write.")
@click.option("--name", show_default="that of the folder", help="Name of the model.")
@click.option("--axes", type=INPUT_AXES, show_default="a guess", help="Axes of the inputs, as in bcyx, or image=bcyx,mask=byx.")
@click.option("--size", type=AXIS_SIZES, help="Sizes that the network accepts, as in y=256,x=256.")
@click.option(
    "--weights-format",
    shell_complete=installed_names("weights_formats"),
    show_default="from the content",
    help="Format of FILE, such as onnx.",
)
@import_option
@trust_option
@overwrite_option
@json_option
def command(
    file: str,
    output: str | None,
    name: str | None,
    axes: str | dict[str, str] | None,
    size: dict[str, int] | None,
    weights_format: str | None,
    imports: tuple[str, ...],
    trust: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Start a description for FILE, the weights of a network: ONNX, TorchScript, .pt2, .keras, .h5 or a SavedModel in a zip.

    Runs the network to measure sizes, steps, scales and halo, and makes test tensors.
    The description is valid; fields that cannot be measured are marked and listed. The folder appears when it is complete.
    """
    from ..api import init_description

    folder = output if output is not None else Path(file).stem
    with command_progress(after=2) as progress:
        drafted = init_description(
            file,
            folder,
            name=name,
            axes=axes,
            size=size or {},
            weights_format=weights_format,
            imports=imports,
            trust=trust,
            overwrite=overwrite,
            progress=progress,
        )
    if as_json:
        print_json(
            {
                "source": file,
                "output": folder,
                "weights_format": drafted.weights_format,
                "status": drafted.report.status,
                "measured": drafted.measured.as_dict(),
                "guessed": list(drafted.guessed),
                "notes": list(drafted.notes),
                "todo": [{"path": t.path, "text": t.text} for t in drafted.todo],
                "issues": issues_as_data(drafted.report.issues),
            }
        )
        return
    from ..report.text.draft_text import draft_text

    say(draft_text(drafted))
