"""``bmz plugins``."""

from __future__ import annotations

import warnings
from shutil import get_terminal_size

import attrs
import click

from .common_options import json_option
from .plugin_commands import unreachable_commands
from .plugins_check_command import check
from .plugins_new_command import new
from .terminal import print_json, say, table

__all__ = ["command"]


@click.group(invoke_without_command=True, epilog="Example: bmz plugins --json")
@click.option("--times", is_flag=True, help="List how long importing each plugin takes, instead of the entries.")
@json_option
@click.pass_context
def command(context: click.Context, times: bool, as_json: bool) -> int:
    """List all plugins and their entries, the packages that they lack here, and failures; --json has all that is known of each.

    The environment variable BMZ_DISABLE_PLUGINS, if set, disables all plugins but the built-in ones.
    """
    if context.invoked_subcommand is not None:
        return 0
    from ..api import plugins
    from ..report.text.plugins_text import WIDTH, entry_rows, plugins_text
    from .main import COMMANDS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # failures are listed below
        registry = plugins()
    failures = [*registry.failures, *unreachable_commands(registry, COMMANDS)]
    if as_json:
        entries = [{**attrs.asdict(row), "files": list(row.files)} for row in entry_rows(registry)]
        failed = [
            {"plugin": f.plugin.name, "distribution": f.plugin.distribution, "entry": f.entry, "message": f.message} for f in failures
        ]
        shown = [
            {"plugin": p.name, "distribution": p.distribution, "version": p.version, "import_seconds": round(p.import_seconds, 4)}
            for p in registry.plugins
        ]
        print_json({"entries": entries, "plugins": shown, "failures": failed})
    else:
        slowest = sorted(registry.plugins, key=lambda p: -p.import_seconds)
        timed = [(f"{p.import_seconds:.3f} s", p.name, f"{p.distribution} {p.version}") for p in slowest]
        width = get_terminal_size((WIDTH, 0)).columns
        say(table(timed, ("import", "plugin", "from")) if times else plugins_text(registry, width))
        for failure in failures:
            where = f"{failure.plugin.distribution} {failure.plugin.version}".strip()
            say(f"failed: {failure.plugin.name} of {where}: {failure.message}", err=True)
    return 1 if failures else 0


command.add_command(check)
command.add_command(new)
