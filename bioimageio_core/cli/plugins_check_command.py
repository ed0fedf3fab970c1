"""``bmz plugins check``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import click

from ..report.plain_text import in_one_line
from ..text import did_you_mean
from .command_progress import command_progress
from .common_options import json_option
from .terminal import print_json, say, table

if TYPE_CHECKING:
    from ..registry import PluginFailure, Registry
    from ..testing.check import Check

__all__ = ["check"]

NEEDED = ("hypothesis", "jsonschema", "pytest")


@click.command(epilog="Example: bmz plugins check gamma")
@click.argument("name")
@json_option
def check(name: str, as_json: bool) -> int:
    """Check whether a plugin fulfils the contract of its hooks.

    NAME is the name of a distribution, of an entry point or of an entry, such as an op.
    Runs all checks that need no examples by the author; skipped checks are listed with the reason.
    """
    from ..api import plugins

    _check_requirements()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # failures are listed below
        registry = plugins()
    entries, failures = _find(name, registry)
    from ..testing.check import check_entries

    with command_progress(shown=not as_json) as progress:
        checks = check_entries(entries, progress) if entries else ()
    if as_json:
        _print_json(entries, checks, failures)
    else:
        _print(checks, failures)
    return 1 if failures or any(c.outcome == "failed" for c in checks) else 0


def _check_requirements() -> None:
    from ..errors import MissingRequirementError
    from ..registry import missing_requirements

    missing = missing_requirements(NEEDED)
    if missing:
        raise MissingRequirementError(f"checking plugins needs {', '.join(missing)}: pip install 'bioimageio-runtime[testing]'")


def _find(name: str, registry: Registry) -> tuple[list[tuple[str, str]], list[PluginFailure]]:
    """Return the entries with this name, of this plugin or of this distribution, and the failures of their plugins."""
    entries = [key for key, plugin in registry.provenance.items() if name in (key[1], plugin.name, plugin.distribution)]
    failures = [f for f in registry.failures if name in (f.entry, f.plugin.name, f.plugin.distribution)]
    if not entries and not failures:
        known = {n for (_, entry), p in registry.provenance.items() for n in (entry, p.name, p.distribution)}
        hint = did_you_mean(name, sorted(known), otherwise="'bmz plugins' lists what is registered")
        raise click.UsageError(f"no installed plugin or entry is named {name!r}: {hint}")
    return sorted(entries), failures


def _print(checks: Sequence[Check], failures: Sequence[PluginFailure]) -> None:
    rows = [(c.kind, c.name, c.outcome, in_one_line(_sentence(c))) for c in checks]
    if rows:
        say(table(rows, ("kind", "name", "result", "check")))
    for failure in failures:
        say(f"failed: {failure.plugin.name} of {failure.plugin.distribution}: {failure.message}")
    counts = {outcome: sum(c.outcome == outcome for c in checks) for outcome in ("passed", "failed", "skipped")}
    say(f"{counts['passed']} passed, {counts['failed'] + len(failures)} failed, {counts['skipped']} skipped")


def _sentence(check: Check) -> str:
    """Return what was checked, and why, where and with what it failed."""
    text = f"{check.what}: {check.why}" if check.why else check.what
    text += f" ({check.where})" if check.where else ""
    text += f", with {check.example}" if check.example else ""
    return text + (f"; {len(check.also)} more checks fail for this reason" if check.also else "")


def _print_json(entries: Sequence[tuple[str, str]], checks: Sequence[Check], failures: Sequence[PluginFailure]) -> None:
    found = [
        {
            "kind": kind,
            "name": name,
            "checks": [
                {key: value for key, value in attrs.asdict(c).items() if key not in ("kind", "name")}
                for c in checks
                if (c.kind, c.name) == (kind, name)
            ],
        }
        for kind, name in entries
    ]
    failed = [{"plugin": f.plugin.name, "distribution": f.plugin.distribution, "entry": f.entry, "message": f.message} for f in failures]
    print_json({"entries": found, "failures": failed})
