"""What the tests of descriptions share."""

from __future__ import annotations

import csv
import importlib.util
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
from schema_judge import Judge, judge

from bioimageio_core.errors import YamlError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.schema import ROOTS, json_schema
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.typing import FrozenMapping
from bioimageio_core.weights.plugin import bioimageio_weights_formats


def make_registry() -> Registry:
    """A registry of the weights formats, and of the processing ops where the package has them."""
    ops = ()
    if importlib.util.find_spec("bioimageio_core.processing.plugin") is not None:
        from bioimageio_core.processing.plugin import bioimageio_processing_ops

        ops = tuple(bioimageio_processing_ops())
    return Registry(
        weights_formats=FrozenMapping({entry.name: entry for entry in bioimageio_weights_formats()}),
        processing_ops=FrozenMapping({entry.name: entry for entry in ops}),
    )


@pytest.fixture(scope="session")
def registry() -> Registry:
    return make_registry()


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


@pytest.fixture(scope="session")
def verdicts(shared: Path) -> tuple[Verdict, ...]:
    """Every real description that is YAML, of any type and version."""
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
    return tuple(found)


@pytest.fixture(scope="session")
def model_verdicts(verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Every real model description of format 0.4 and 0.5."""
    return tuple(v for v in verdicts if v.type == "model" and v.format_version[:4] in ("0.4.", "0.5."))


@pytest.fixture
def model(shared: Path) -> dict[str, Any]:
    """The tree of a valid model of format 0.5."""
    return load_yaml((shared / "models" / "unet2d_nuclei_broad" / "bioimageio.yaml").read_bytes())


@pytest.fixture
def old_model(shared: Path) -> dict[str, Any]:
    """The tree of a valid model of format 0.4."""
    return load_yaml((shared / "models" / "upsample_test_model" / "v0_4.bioimageio.yaml").read_bytes())


@pytest.fixture(scope="session")
def fits(registry: Registry) -> dict[str, Judge]:
    """For each type and format version, such as ``model 0.4``, and for all together, whether a tree fits."""
    pytest.importorskip("jsonschema")
    of = partial(json_schema, registry)
    alone = {f"{root.family} {root.format}": judge(of(type=root.family, format_version=root.format)) for root in ROOTS}
    return {"all": judge(of()), **alone}
