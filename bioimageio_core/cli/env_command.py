"""``bmz env``."""

from __future__ import annotations

import click

from .terminal import print_json

__all__ = ["command"]


@click.command(epilog="Example: bmz env path/to/model --weights-format onnx -o environment.yaml")
@click.argument("model")
@click.option("--weights-format", help="Weights to run; those that are fastest here if all were installed by default.")
@click.option("--pip", "for_pip", is_flag=True, help="Write a requirements file for pip instead of an environment file for conda.")
@click.option("-o", "--output", metavar="FILE", help="File to write; without it the text is printed.")
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(model: str, weights_format: str | None, for_pip: bool, output: str | None, overwrite: bool, as_json: bool) -> None:
    """Say what has to be installed to run MODEL with one of its weights formats, as a file for conda or pip.

    Needs none of it to be installed. Frameworks are named in the version that the description names, where the library works with it.
    'bmz test --isolated' makes such an environment and tests the model in it.
    """
    from ..api import environment_of

    environment = environment_of(model, weights_format)
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
        click.echo(text.rstrip() if output is None else output)
