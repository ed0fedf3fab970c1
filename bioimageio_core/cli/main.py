"""The group of commands, resolved by name so that ``bmz --help`` imports none of them."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module

import click

from ..errors import BioimageioError, PluginWarning
from ..report.plain_text import in_one_line
from .restart import restart_in_large_pages
from .terminal import INTERRUPTED

__all__ = ["COMMANDS", "bmz", "main"]

COMMANDS = {
    "cache": "Show or remove what was fetched from URLs.",
    "compat": "Say which software can run a model, and why not.",
    "convert": "Add weights in another format to a model.",
    "demo": "Predict a large synthetic image with a model that comes along.",
    "env": "Say what has to be installed for the weights of a model.",
    "export": "Write a model in the format of another system.",
    "import": "Read a model of another system into a folder.",
    "info": "Show what a resource is, and what a model takes, gives and needs.",
    "init": "Begin a description from a file of weights.",
    "package": "Write a model with all its files into one zip or folder.",
    "plan": "Show how an image would be predicted.",
    "plugins": "List what is registered, by whom, and what failed.",
    "predict": "Predict images of any size.",
    "schema": "Print the JSON Schema of descriptions.",
    "stats": "Measure images of any size exactly, for predictions to come.",
    "test": "Reproduce the test outputs of a model.",
    "update": "Bring a description to the newest format version.",
    "validate": "Judge descriptions by their format.",
    "verify": "Measure whether blocks give the same as the whole.",
}
"""Name and summary of each command; its module in `bioimageio_core.cli` has the same name."""


class _Commands(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names: the library's own, then those of plugins."""
        from .plugin_commands import plugin_commands

        return list(dict.fromkeys([*COMMANDS, *plugin_commands()]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            from .plugin_commands import plugin_command

            return plugin_command(cmd_name)
        command: click.Command = import_module(f".{cmd_name}_command", __package__).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        from .plugin_commands import plugin_commands

        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        others = {name: f"Of {where}." for name, where in plugin_commands().items() if name not in COMMANDS}
        if others:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(list(others.items()))


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
    if sys.argv[1:2] == ["predict"]:
        restart_in_large_pages()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        sys.exit(_run())


def _run() -> int:
    """Run the command of this process and return its exit status; whatever goes wrong is said in one line."""
    try:
        status = bmz.main(prog_name="bmz", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    except click.ClickException as error:
        return _usage(error)
    except BioimageioError as error:
        return _say(str(error), error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (OSError, MemoryError) as error:
        return _say(f"{type(error).__name__}: {error}", 2)
    return status if isinstance(status, int) else 0


def _usage(error: click.ClickException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":  # of click 8.2 and later; its message is the help
        error.show()
        return error.exit_code
    context = getattr(error, "ctx", None)
    remedy = f" (see '{context.command_path} --help')" if context is not None else ""
    return _say(error.format_message() + remedy, error.exit_code)


def _say(message: str, status: int) -> int:
    click.echo(f"bmz: {in_one_line(message)}", err=True)
    return status


def _show_warning(message: Warning | str, category: type[Warning], *where: object, **more: object) -> None:
    """Show a warning of the library to people, who want no line of code with it; those of other packages are for their developers."""
    if issubclass(category, PluginWarning):
        click.echo(f"bmz: warning: {in_one_line(str(message))}", err=True)
