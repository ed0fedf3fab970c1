"""What users see of faults: recorded by the tests, and the table of it in the documentation.

``python tests/fault_matrix/seen.py docs/when-runs-fail.md RECORDS`` writes the table from the records of all tests;
tests append them to the file that BMZ_FAULTS_SEEN names.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["PAGE", "as_documented", "cells_of", "main", "record"]

PAGE = Path(__file__).parents[2] / "docs" / "when-runs-fail.md"
START, END = "<!-- what the tests saw -->", "<!-- end -->"
EXECUTORS = ("threads", "processes", "cluster")
HEADER = "| fault | threads | processes | cluster | then |\n|---|---|---|---|---|"
NONE, SAME = "—", "the same"

PLACEHOLDERS = (
    (r"^bmz: ", ""),
    (r"(\w+://)?/\S*/result\.zarr", "result.zarr"),
    (r"(\w+://)?/\S*/image\.zarr", "image.zarr"),
    (r"(result|image)\.zarr/[^\s:,;]+", r"\1.zarr/…"),
    (r"tcp://[\d.]+:\d+", "tcp://HOST:PORT"),
    (r"\d{4}-\d\d-\d\dT[\d:]+[+-]\d\d:\d\d", "TIME"),
    (r"is (damaged|lost) \(.*?\)", r"is \1 (…)"),
    (r"chunk \([\d, ]+\)", "chunk (I, J)"),
    (r"c/\d+/\d+", "c/I/J"),
    (r"\|", r"\\|"),
)
"""What differs between runs, and what the documentation has in its place."""


def as_documented(status: int, report: str) -> str:
    """Return the exit status of a command and its last sentence on standard error, as the documentation shows them."""
    if status < 0:
        return f"{128 - status}: {signal.Signals(-status).name}"
    sentence = (report.strip().splitlines() or ["complete"])[-1]
    for pattern, placeholder in PLACEHOLDERS:
        sentence = re.sub(pattern, placeholder, sentence)
    return f"{status}: {sentence}"


def record(path: Path, **seen: str) -> None:
    """Add a record: fault, executor, what users see, and what they do then."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(seen) + "\n")


def cells_of(page: str) -> dict[tuple[str, str], str]:
    """Return what the table of a page says, by fault and executor."""
    cells = {}
    for line in page.partition(START)[2].partition(END)[0].strip().splitlines()[2:]:
        fault, *row = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        shown = dict(zip(EXECUTORS, row, strict=False))
        first = next(cell for cell in shown.values() if cell != NONE)
        cells |= {(fault, executor): first if cell == SAME else cell for executor, cell in shown.items() if cell != NONE}
    return cells


def table_of(records: Sequence[Mapping[str, str]]) -> str:
    """Return the table of records, in their order; what an executor has in common with the first one is not repeated."""
    lines = [HEADER]
    for fault, then in {each["fault"]: each["then"] for each in records}.items():
        seen = {each["executor"]: each["seen"] for each in records if each["fault"] == fault}
        leading = next(executor for executor in EXECUTORS if executor in seen)
        cells = [
            SAME if executor != leading and seen.get(executor) == seen[leading] else seen.get(executor, NONE) for executor in EXECUTORS
        ]
        lines.append(f"| {fault} | {' | '.join(cells)} | {then} |")
    return "\n".join(lines)


def main(page: Path, records: Path) -> None:
    """Write the table."""
    seen = [json.loads(line) for line in records.read_text(encoding="utf-8").splitlines()]
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    page.write_text(f"{before}{START}\n\n{table_of(seen)}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
