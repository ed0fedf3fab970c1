"""``bmz env``."""

from __future__ import annotations

import click

from .common_options import json_option, overwrite_option, trust_option
from .output_files import check_file_apart
from .terminal import print_json, say
from .value_completion import installed_names

__all__ = ["command"]


@click.command(epilog="Example: bmz env path/to/model --weights-format onnx -o environment.yaml")
@click.argument("model", type=click.Path())
@click.option(
    "--weights-format",
    shell_complete=installed_names("weights_formats"),
    show_default="the fastest on this machine",
    help="Weights to run, as in onnx.",
)
@click.option("--pip", "for_pip", is_flag=True, help="Write a requirements file for pip, not an environment file for conda.")
@click.option("-o", "--output", metavar="FILE", help="File to write, instead of printing it.")
@trust_option
@overwrite_option
@json_option
def command(model: str, weights_format: str | None, for_pip: bool, output: str | None, trust: bool, overwrite: bool, as_json: bool) -> None:
    """Show what to install to run MODEL with one of its weights formats, as a file for conda or pip.

    The packages need not be installed. Frameworks have the version of the description, if the library supports it.
    Packages that MODEL itself names in a file are part of it with --trust.
    'bmz test --isolated' makes such an environment and tests the model in it.
    """
    from ..api import environment_of

    check_file_apart(output, [model])
    environment = environment_of(model, weights_format, trust=trust)
    text = environment.pip_file() if for_pip else environment.conda_file()
    if output is not None:
        from ..atomic_files import write_text

        write_text(output, text, overwrite=overwrite)
    if as_json:
        print_json(
            {
                "weights_format": environment.weights_format,
                "adapter": environment.adapter,
                "python": environment.python,
                "requirements": environment.requirements,
                "own": {
                    "source": environment.own.source,
                    "channels": environment.own.channels,
                    "conda": environment.own.conda,
                    "pip": environment.own.pip,
                },
                "notes": environment.notes,
                "output": output,
            }
        )
    else:
        say(text.rstrip() if output is None else output)
