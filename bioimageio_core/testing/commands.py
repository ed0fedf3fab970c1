"""What commands of plugins have to keep."""

from __future__ import annotations

import warnings

import click
import pytest
from click.testing import CliRunner, Result

from ..cli.main import COMMANDS
from ..registry import CommandEntry, collect
from .entry import FRAMEWORKS, EntryConformance
from .processes import imported_by

__all__ = ["CommandConformance"]

HELP = """
from importlib.metadata import EntryPoint
from bioimageio_core.registry import collect
entry = collect([EntryPoint(name="checked", value={module!r}, group="bioimageio_core")]).commands[{name!r}]
entry.load()
"""


class CommandConformance(EntryConformance):
    """The laws of commands; a subclass sets ``entry`` to a `CommandEntry`."""

    kind = "commands"
    entry: CommandEntry

    def invoked(self, *arguments: str) -> Result:
        """Run the command as ``bmz`` does."""
        return CliRunner().invoke(self.entry.load(), list(arguments), prog_name=f"bmz {self.entry.name}")

    def test_is_a_command(self) -> None:
        """What is loaded is a command of click."""
        command = self.entry.load()
        assert isinstance(command, click.Command), f"expected a click command, found {type(command).__name__}"

    def test_name(self) -> None:
        """The name is none of the library's own commands."""
        assert self.entry.name not in COMMANDS, f"bmz has a command {self.entry.name!r} of its own, which it would run instead"

    def test_entry_point(self) -> None:
        """The entry point is named ``command.NAME``, by which ``bmz --help`` finds it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other plugins
            plugin = collect().provenance.get((self.kind, self.entry.name))
        if plugin is None:
            pytest.skip("the plugin is not installed")
        assert plugin.name == f"command.{self.entry.name}", f"expected the entry point command.{self.entry.name}, found {plugin.name}"

    def test_help(self) -> None:
        """``--help`` prints what the command is for, and ends well."""
        ran = self.invoked("--help")
        assert ran.exit_code == 0, f"--help ended with status {ran.exit_code}"
        assert self.entry.load().help, "the command has no docstring, which is its help"

    def test_unknown_option(self) -> None:
        """An option that does not exist is wrong usage: status 2."""
        assert self.invoked("--no-such-option").exit_code == 2

    def test_help_is_light(self) -> None:
        """Loading the command imports no framework."""
        modules = imported_by(HELP.format(module=self.module(), name=self.entry.name))
        early = sorted({name.partition(".")[0] for name in modules} & {*FRAMEWORKS})
        assert not early, f"loading the command imports {', '.join(early)}: import them within its function"
