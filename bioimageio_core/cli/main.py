"""The group of commands, resolved by name so that ``bmz --help`` imports none of them."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from ..errors import BioimageioError

__all__ = ["bmz", "main"]

COMMANDS = {
    "demo": "Predict a large synthetic image with a model that comes along.",
    "info": "Show what a model takes, gives and needs.",
    "plan": "Show how an image would be predicted.",
    "plugins": "List what is registered, by whom, and what failed.",
    "predict": "Predict images of any size.",
    "test": "Reproduce the test outputs of a model.",
    "validate": "Judge descriptions by their format.",
    "verify": "Measure whether blocks give the same as the whole.",
}
"""Name and summary of each command; its module in `bioimageio_core.cli` has the same name."""

INTERRUPTED = 130


class _Commands(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f".{cmd_name}_command", __package__).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: bmz predict path/to/model image.zarr -o result.zarr",
)
@click.version_option(package_name="bioimageio-runtime", prog_name="bmz")
def bmz() -> None:
    """Run bioimage.io models on images of any size.

    Exit status: 0 good; 1 the thing is not good (invalid, differs); 2 wrong usage, no access, or the output exists; 130 interrupted.
    """


def main() -> None:
    """Run ``bmz`` and exit."""
    try:
        status = bmz.main(standalone_mode=False)
    except click.exceptions.Abort:
        status = _say("interrupted", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except KeyboardInterrupt:
        status = _say("interrupted", INTERRUPTED)
    except BioimageioError as error:
        status = _say(str(error), error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        status = 0
    except (OSError, MemoryError) as error:
        status = _say(f"{type(error).__name__}: {error}", 2)
    sys.exit(status if isinstance(status, int) else 0)


def _say(message: str, status: int) -> int:
    click.echo(f"bmz: {message}", err=True)
    return status
