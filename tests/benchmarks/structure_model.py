"""Microseconds in which a model description of format 0.5 is structured, as JSON; run with any release of the library."""

from __future__ import annotations

import json
import sys
import timeit
from pathlib import Path
from statistics import median

from bioimageio_core.registry import collect
from bioimageio_core.spec.converters import make_converter
from bioimageio_core.spec.formats import detect
from bioimageio_core.spec.versions import class_of, upgrade_of
from bioimageio_core.spec.yaml import load_yaml


def main() -> None:
    """Measure and print."""
    tree = load_yaml(Path(sys.argv[1]).read_bytes())
    detected = detect(tree)
    assert detected.format == "0.5"
    newest, _ = upgrade_of(detected.family, detected.format)(tree, detected.version)
    cls = class_of(detected.family, detected.format)
    converter = make_converter(collect(), "0.5")
    converter.structure(newest, cls)
    seconds = timeit.repeat(lambda: converter.structure(newest, cls), number=200, repeat=9)
    print(json.dumps({"structure": median(seconds) / 200 * 1e6}))


if __name__ == "__main__":
    main()
