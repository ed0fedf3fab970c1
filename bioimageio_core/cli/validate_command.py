"""``bmz validate``."""

from __future__ import annotations

from typing import Any

import click

from ..errors import SourceError
from .terminal import print_json, table

__all__ = ["command"]


@click.command(epilog="Example: bmz validate models/*/bioimageio.yaml")
@click.argument("sources", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(sources: tuple[str, ...], as_json: bool) -> int:
    """Judge descriptions by their format, whatever is installed.

    SOURCES are files, folders, zips, URLs or ids in a collection. Exit status 1 if any of them is invalid.
    """
    from ..api import validate

    worst = 0
    results: list[dict[str, Any]] = []
    for source in sources:
        try:
            report = validate(source)
        except SourceError as error:
            worst = 2
            results.append({"source": source, "status": "unreadable", "issues": [{"path": "", "message": str(error), "severity": "error"}]})
            if not as_json:
                click.echo(f"{source}: {error}", err=True)
            continue
        if report.status == "invalid":
            worst = max(worst, 1)
        issues = [{"path": i.path, "message": i.message, "severity": i.severity, "hint": i.hint} for i in report.issues]
        results.append(
            {
                "source": report.source,
                "type": report.type,
                "format_version": report.format_version,
                "status": report.status,
                "issues": issues,
            }
        )
        if not as_json:
            click.echo(f"{report.source}: {report.status} ({report.type or 'unknown type'} {report.format_version})")
            rows = [(f"  {i.severity}", i.path or "(whole)", i.message + (f" ({i.hint})" if i.hint else "")) for i in report.issues]
            if rows:
                click.echo(table(rows))
    if as_json:
        print_json(results)
    return worst
