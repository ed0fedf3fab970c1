"""Lists the licences of all installed distributions; fails where one of them is not known to be free.

Usage: ``python licences.py``, in an environment of what is installed with the library.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import metadata

FREE = re.compile(
    r"\b(0BSD|Apache|BSD|CC0|HPND|ISCL?|LGPL|MIT|MPL|Mozilla Public|PSFL?|Python Software Foundation|Unlicense|ZPL|Zlib)\b", re.IGNORECASE
)
"""Names of licences that allow any use, in whole or as a library."""


def licence_of(distribution: metadata.Distribution) -> str:
    """Return what the metadata say, in one line: an expression, classifiers, or the first line of a text."""
    said = distribution.metadata
    classifiers = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or () if c.startswith("License ::")]
    text = (said.get("License") or "").strip().partition("\n")[0]
    return str(said.get("License-Expression") or ", ".join(classifiers) or text)


def unknown(found: dict[str, str]) -> Iterator[str]:
    """Yield the distributions with no licence that is known to be free."""
    yield from (f"{name}: {licence or 'none'}" for name, licence in found.items() if FREE.search(licence) is None)


def main() -> int:
    """Print one line for each distribution."""
    found = {str(d.metadata["Name"]): licence_of(d) for d in metadata.distributions()}
    for name in sorted(found, key=str.lower):
        print(f"{name:<32} {found[name]}")
    others = list(unknown(found))
    for line in others:
        print(f"not known to be free: {line}", file=sys.stderr)
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
