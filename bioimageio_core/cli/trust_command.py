"""``bmz trust``."""

from __future__ import annotations

import sys

import click

from .common_options import json_option
from .terminal import print_json, say, table

__all__ = ["command"]


@click.command(epilog="Example: bmz trust path/to/model")
@click.argument("model", type=click.Path(), required=False)
@click.option("--list", "listed", is_flag=True, help="List the trusted models.")
@click.option("--revoke", is_flag=True, help="Trust MODEL no longer; it may also be a place or name of the list.")
@click.option("--yes", is_flag=True, help="Trust MODEL without a question.")
@json_option
def command(model: str | None, listed: bool, revoke: bool, yes: bool, as_json: bool) -> None:
    """Let code that comes with MODEL run from now on, as long as it stays as it is.

    The files that may run are listed with their SHA-256: look at them first.
    If one of them, or what the description says about them, changes, MODEL is not trusted until you trust it again.
    """
    if listed:
        _list(as_json=as_json)
        return
    if model is None:
        raise click.UsageError("expected MODEL, or --list")
    if revoke:
        from ..api import revoke_trust

        gone = revoke_trust(model)
        if as_json:
            print_json({"revoked": [consent.source for consent in gone]})
        for consent in () if as_json else gone:
            say(f"{consent.source}: no longer trusted")
        return
    _give(model, yes=yes, as_json=as_json)


def _give(model: str, *, yes: bool, as_json: bool) -> None:
    from ..api import keep_consent, proposed_consent
    from ..errors import InputError

    consent, parts = proposed_consent(model)
    rows = [(part.name, part.what, part.sha256 or "a callable of an installed library") for part in parts]
    if not as_json:
        say(table(rows, ("may run", "named in", "SHA-256")))
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise InputError("expected an answer on a terminal: look at the files that may run, then use --yes")
        click.confirm(f"Let these parts of {model} run from now on?", abort=True, err=True)
    keep_consent(consent)
    if as_json:
        print_json({"model": consent.model, "source": consent.source, "digest": consent.digest, "files": dict(consent.files)})
    else:
        say(f"{consent.source}: trusted")


def _list(*, as_json: bool) -> None:
    from ..api import trusted_models
    from ..report.text.consent_text import consents_text

    consents = trusted_models()
    if as_json:
        print_json([{"model": c.model, "source": c.source, "digest": c.digest, "files": dict(c.files), "given": c.given} for c in consents])
    else:
        say(consents_text(consents))
