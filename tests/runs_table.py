"""The table of what the tests ran: checked against the documentation, or written into it.

``python tests/runs_table.py docs/weights-tested.md RECORDS...`` fails where something that the page lists was not run,
or was run and is not listed.
``--write`` writes the page anew; versions of frameworks and of Python that earlier records were made with are kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

START, END = "<!-- what the tests ran -->", "<!-- end -->"
HEADER = "| weights | model | how it was run | frameworks |\n|---|---|---|---|"

Key = tuple[str, str, str]
"""Weights format, model, way."""


def key_of(record: dict[str, Any]) -> Key:
    """Return what a record is of."""
    return record["weights_format"], record["model"], record["way"]


def versions_of(record: dict[str, Any]) -> str:
    """Return what ran it, as in ``onnxruntime 1.32.0 (Python 3.11)``."""
    frameworks = ", ".join(f"{name} {version.partition('+')[0]}" for name, version in sorted(record["frameworks"].items()))
    return f"{frameworks} (Python {record['python']})"


def read_records(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the records of several sessions."""
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def rows_of(page: str) -> dict[Key, list[str]]:
    """Return the rows of the table in a page."""
    rows = {}
    for line in page.partition(START)[2].partition(END)[0].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`"):
            rows[(cells[0].strip("`"), cells[1], cells[2])] = cells[3].split("<br>")
    return rows


def merged(rows: dict[Key, list[str]], records: Iterable[dict[str, Any]]) -> dict[Key, list[str]]:
    """Return rows with what was run now first, and versions that were run before."""
    now: dict[Key, list[str]] = {}
    for record in records:
        now.setdefault(key_of(record), []).append(versions_of(record))
    return {key: sorted({*now.get(key, []), *rows.get(key, [])}, reverse=True) for key in sorted({*rows, *now})}


def table_of(rows: dict[Key, list[str]]) -> str:
    """Return the table."""
    lines = [f"| `{fmt}` | {model} | {way} | {'<br>'.join(versions)} |" for (fmt, model, way), versions in rows.items()]
    return "\n".join([HEADER, *lines])


def main(arguments: list[str]) -> int:
    """Check or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("records", type=Path, nargs="*")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    page = given.page.read_text(encoding="utf-8")
    records = list(read_records(given.records))
    rows, ran = rows_of(page), {key_of(record) for record in records}
    if given.write:
        before, _, rest = page.partition(START)
        table = table_of(merged(rows, records))
        given.page.write_text(f"{before}{START}\n\n{table}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
        return 0
    for key in sorted({*rows} - ran):
        print(f"listed in {given.page}, and not run: {' | '.join(key)}")
    for key in sorted(ran - {*rows}):
        print(f"run, and not listed in {given.page}: {' | '.join(key)}")
    print(f"{len(ran & {*rows})} of {len(rows)} that are listed were run")
    return 0 if ran == {*rows} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
