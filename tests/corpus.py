"""Real descriptions with the verdicts of the reference implementation, and the registry that they are read with."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import attrs

from bioimageio_core.errors import YamlError
from bioimageio_core.processing.plugin import bioimageio_processing_ops
from bioimageio_core.registry import Registry
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.typing import FrozenMapping
from bioimageio_core.weights.plugin import bioimageio_weights_formats


def built_in_registry() -> Registry:
    """A registry of the weights formats and processing ops of the library itself, whatever else is installed."""
    return Registry(
        weights_formats=FrozenMapping({entry.name: entry for entry in bioimageio_weights_formats()}),
        processing_ops=FrozenMapping({entry.name: entry for entry in bioimageio_processing_ops()}),
    )


@attrs.frozen(kw_only=True)
class Verdict:
    """A real description and what the reference implementation says of it."""

    sha: str
    type: str
    format_version: str
    is_valid: bool
    is_valid_updated: bool
    """Also after updating it to the newest version."""

    tree: dict[str, Any] = attrs.field(repr=False)


class Several(tuple[Any, ...]):
    """A tuple whose printed form is short, however much it holds: failing tests print their arguments."""

    def __repr__(self) -> str:
        return f"<{len(self)} descriptions>"


def read_verdicts(shared: Path) -> tuple[Verdict, ...]:
    """Return every real description that is YAML, of any type and version."""
    with (shared / "corpus" / "verdicts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        try:
            tree = load_yaml((shared / "corpus" / "descriptions" / f"{row['sha256_12']}.yaml").read_bytes())
        except YamlError:
            assert row["as_is"] != "valid"
            continue
        found.append(
            Verdict(
                sha=row["sha256_12"],
                type=row["type"],
                format_version=row["format_version"],
                is_valid=row["as_is"] == "valid",
                is_valid_updated=row["updated"] == "valid",
                tree=tree,
            )
        )
    return Several(found)


_UNKNOWN_WEIGHTS = "weights of the format pickle, which nobody knows: kept as they are, with an alert, as in every version"
_LEAST_SIZES = "format 0.3 allowed a least size that the halo takes all of: raised on reading, with a warning"
DISAGREEMENTS: dict[str, str] = {
    **dict.fromkeys(["01a6d1aebd76", "108ff2a4ae08", "1376de56826a", "5f33d4193f9f"], _UNKNOWN_WEIGHTS),
    **dict.fromkeys(["08beeb1e0e6f", "94001cc30073"], _LEAST_SIZES),
}
"""Where the verdict differs from that of the reference implementation on purpose, and why."""


def model_trees(shared: Path) -> tuple[dict[str, Any], ...]:
    """Return the descriptions of the shared models."""
    paths = sorted(path for path in (shared / "models").glob("*/*.yaml") if path.name != "environment.yaml")
    return tuple(load_yaml(path.read_bytes()) for path in paths)
