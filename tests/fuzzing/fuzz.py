"""Fuzzes one target, guided by the branches of the library that an input reaches; needs atheris.

Usage: ``python fuzz.py TARGET SECONDS [FOLDER]``.
A finding is a file in the folder: shorten it, mend its kind, and add it to ``kept/TARGET``.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

KEPT = Path(__file__).with_name("kept")


def main() -> None:
    """Fuzz."""
    name, seconds, *more = sys.argv[1:]
    with atheris.instrument_imports(include=["bioimageio_core", "bioimageio_runtime_czmodel", "bioimageio_runtime_deepimagej"]):
        from fuzz_targets import TARGETS
    target = TARGETS[name]
    warnings.simplefilter("ignore")
    folder = Path(more[0] if more else tempfile.mkdtemp(prefix="fuzz-")) / name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate([*target.seeds, *(path.read_bytes() for path in sorted((KEPT / name).glob("*")))]):
        (folder / "corpus" / f"seed{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        "-timeout=20",
        "-rss_limit_mb=1500",
        "-max_len=20000",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder / "corpus")], target.read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
