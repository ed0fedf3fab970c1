"""Commands of plugins: whose name it is, and what is told of those that are broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bmz_process import run_process
from made_sites import COMMAND, Site


class TestNames:
    """Who has a name that several bring."""

    def test_own_commands_win(self, site: Site, tmp_path: Path) -> None:
        """A plugin can not take the place of a command of the library."""
        imported = tmp_path / "imported"
        site.install("greeter", COMMAND.format(name="schema", imported=str(imported)), entry_point="command.schema")
        assert json.loads(run_process("schema", "--type", "dataset", env=site.environment()).out)["title"] == "bioimage.io dataset"
        assert "greeter" not in run_process("--help", env=site.environment()).out
        ran = run_process("plugins", env=site.environment())
        assert ran.status == 1
        assert "failed: command.schema of greeter 1.0: unreachable command: 'schema' is a command of bmz itself" in ran.err

    def test_entry_point_without_the_name(self, site: Site, tmp_path: Path) -> None:
        """``bmz NAME`` looks for the name among the entry points: one that has another name is a failure in the list."""
        site.install("greeter", COMMAND.format(name="greet", imported=str(tmp_path / "imported")), entry_point="greeter")
        failures = run_process("plugins", "--json", env=site.environment()).json["failures"]
        assert [(f["entry"], f["message"]) for f in failures] == [
            ("greet", "unreachable command: expected an entry point named command.greet, found greeter")
        ]

    def test_first_distribution_wins(self, site: Site, tmp_path: Path) -> None:
        """As for all names: by name of the distribution."""
        for name in ("beta", "alpha"):
            module = COMMAND.format(name="greet", imported=str(tmp_path / name))
            site.install(name, module.replace("hello", name), entry_point="command.greet")
        assert "From alpha 1.0." in run_process("--help", env=site.environment()).out
        assert run_process("greet", "you", env=site.environment()).out == "alpha you\n"


class TestBroken:
    """Commands that cannot be used."""

    @pytest.mark.parametrize(
        ("module", "why"),
        [
            ("import no_such_module_at_all\n", "import failed: ModuleNotFoundError"),
            ("", "its plugin yields no command named 'greet'"),
            (COMMAND.replace("load=lambda: greet", "load=lambda: 3"), "expected a click command, found int"),
            (COMMAND.replace("load=lambda: greet", "load=lambda: 1 / 0"), "fails: ZeroDivisionError"),
            (COMMAND.replace("load=lambda: greet", "load=3"), "load: expected a function, found int"),
        ],
    )
    def test_broken(self, site: Site, tmp_path: Path, module: str, why: str) -> None:
        """One line with the distribution and the reason, and status 2; other commands work."""
        site.install("greeter", module.format(name="greet", imported=str(tmp_path / "imported")), entry_point="command.greet")
        line = run_process("greet", "you", env=site.environment()).error(2)
        assert "'greet' of greeter 1.0" in line
        assert why in line
        assert run_process("schema", env=site.environment()).status == 0

    @pytest.mark.parametrize(
        ("raised", "why"),
        [
            ("{}['gain']", "KeyError: 'gain'"),
            ("open('no such file')", "FileNotFoundError: [Errno 2] No such file or directory"),
            ("1 // 0", "ZeroDivisionError: integer division or modulo by zero"),
        ],
    )
    def test_fails(self, site: Site, tmp_path: Path, raised: str, why: str) -> None:
        """One line that names the command and its distribution; the traceback with ``--debug``."""
        module = COMMAND.format(name="greet", imported=str(tmp_path / "imported")).replace('click.echo(f"hello {name}")', raised)
        site.install("greeter", module, entry_point="command.greet")
        assert run_process("greet", "you", env=site.environment()).error(2).startswith(f"bmz: command 'greet' of greeter 1.0 fails: {why}")
        ran = run_process("--debug", "greet", "you", env=site.environment())
        assert ran.status == 2
        assert "Traceback (most recent call last)" in ran.err
        assert "greeter.py" in ran.err
        assert ran.err.splitlines()[-1].startswith("bmz: command 'greet' of greeter 1.0 fails")
