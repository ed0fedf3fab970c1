"""The command ``bmz``, which imports a subcommand only when it runs, and turns errors into one line and an exit status."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

import click

from ..errors import BioimageioError, PluginError, PluginWarning, PredictionWarning
from ..option_spelling import on_command_line
from ..report.plain_text import in_one_line
from ..time_limits import calls_were_given_up
from .ending import ends_on_ctrl_c, exit_at_once
from .restart import restart_in_large_pages
from .standard_streams import open_closed_streams
from .terminal import INTERRUPTED, say

__all__ = ["COMMANDS", "bmz", "main"]

COMMANDS = {
    "cache": "Show or clear the cache of downloaded files.",
    "compat": "Show which software can run a model, and why not.",
    "completion": "Print a script that completes commands with the Tab key.",
    "convert": "Add weights in another format to a model.",
    "demo": "Predict a large synthetic image with a model of this package.",
    "env": "Show what to install for the weights of a model.",
    "export": "Write a model in the format of another system.",
    "import": "Read a model of another system into a folder.",
    "info": "Show a resource; for a model its inputs, outputs and weights.",
    "init": "Start a description for a file of weights.",
    "package": "Write a model with all its files into one zip file or folder.",
    "plan": "Show how an image would be predicted.",
    "plugins": "List plugins, their entries and failures.",
    "predict": "Predict images of any size.",
    "schema": "Print the JSON Schema of descriptions.",
    "stats": "Compute exact statistics of images of any size.",
    "test": "Test whether a model reproduces its test outputs.",
    "trust": "Let code that comes with a model run from now on.",
    "update": "Update a description to the newest format version.",
    "validate": "Validate descriptions against their format.",
    "verify": "Measure whether blocks give the same result as the whole image.",
    "view": "Show images, results and labels of any size in the browser.",
}
"""Name and summary of each command; command ``NAME`` is in the module ``NAME_command``."""


class _Commands(click.Group):
    """The subcommands; a command is imported when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, those of plugins last."""
        from .plugin_commands import plugin_commands

        return list(dict.fromkeys([*COMMANDS, *plugin_commands()]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            from .plugin_commands import plugin_command

            return plugin_command(cmd_name)
        command: click.Command = import_module(f".{cmd_name}_command", __package__).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; with ``--debug``, the traceback of an error is printed.

        Raises:
            PluginError: A command of a plugin fails.

        """
        from .verbosity import log_of

        try:
            return self._named(ctx)
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, BioimageioError) and ctx.params["debug"]:
                import traceback

                traceback.print_exc()
            log = log_of(ctx)
            if log is not None:
                log.write(f"ends: {_in_words(error)}")
            raise

    def _named(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (BioimageioError, click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:  # the code of plugins may raise anything
            name = ctx.invoked_subcommand
            if name is None or name in COMMANDS:  # a fault of this library
                raise
            from ..text import in_brief
            from .plugin_commands import plugin_commands

            raise PluginError(f"command {name!r} of {plugin_commands()[name]} fails: {in_brief(error, named=True)}") from error

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names.

        Raises:
            click.UsageError: There is no such command; the message has one with a similar name.

        """
        name = args[0]
        if self.get_command(ctx, name) is None:
            from ..text import close_names

            close = close_names(name, self.list_commands(ctx))
            ctx.fail(f"no command {name!r}" + (f": did you mean 'bmz {close[0]}'?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        from .plugin_commands import plugin_commands

        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        others = {name: f"From {where}." for name, where in plugin_commands().items() if name not in COMMANDS}
        if others:
            with formatter.section("Commands from plugins"):
                formatter.write_dl(list(others.items()))


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: bmz predict path/to/model image.zarr -o result.zarr",
)
@click.option("--debug", is_flag=True, help="Print the traceback of an error, too.")
@click.version_option(package_name="bioimageio-runtime", prog_name="bmz")
def bmz(debug: bool) -> None:
    """Run bioimage.io models on images of any size.

    Exit status: 0 success; 1 negative result (invalid, differs); 2 wrong usage, no access, or the output exists; 130 interrupted.
    """


def _in_words(error: BaseException) -> str:
    """Return an error as the log has it."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return error.format_message() if isinstance(error, click.ClickException) else str(error) or type(error).__name__


def main() -> None:
    """Run ``bmz`` and exit."""
    open_closed_streams()
    if sys.argv[1:2] == ["predict"]:
        restart_in_large_pages()
    with warnings.catch_warnings(), ends_on_ctrl_c():
        warnings.showwarning = _show_warning
        status = _run()
    if calls_were_given_up():
        exit_at_once(status)
    sys.exit(status)


def _run() -> int:
    """Run the command line of this process and return the exit status; an error is printed in one line."""
    with on_command_line():
        return _status()


def _status() -> int:
    try:
        status = bmz.main(prog_name="bmz", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _print_error("interrupted", INTERRUPTED)
    except click.ClickException as error:
        return _usage(error)
    except BioimageioError as error:
        return _print_error(str(error), error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (OSError, MemoryError) as error:
        return _print_error(f"{type(error).__name__}: {error}", 2)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        from ..text import in_brief

        return _print_error(
            f"{in_brief(error, named=True)}: a fault of this library; 'bmz --debug ...' prints its traceback, for the maintainers",
            2,
        )
    return status if isinstance(status, int) else 0


def _usage(error: click.ClickException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":  # click 8.2 raises it; its message is the help
        error.show()
        return error.exit_code
    context = getattr(error, "ctx", None)
    remedy = f" (see '{context.command_path} --help')" if context is not None else ""
    return _print_error(error.format_message() + remedy, error.exit_code)


def _print_error(message: str, status: int) -> int:
    say(f"bmz: {in_one_line(message)}", err=True)
    return status


def _show_warning(message: Warning | str, category: type[Warning], *where: object, **more: object) -> None:
    """Print a warning of the library in one line, without the line of code; warnings of other packages are for their developers."""
    if issubclass(category, PluginWarning | PredictionWarning):
        say(f"bmz: warning: {in_one_line(str(message))}", err=True)
