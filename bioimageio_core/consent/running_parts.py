"""The parts of a model that may run as code once it is trusted: files, and callables of libraries that its description names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ..packaging import file_references
from ..prediction.model.loaded_model import LoadedModel
from ..spec.converters import unstructured

__all__ = ["RunningPart", "digest_of_description", "running_parts"]

STEPS = ("preprocessing", "postprocessing")


@attrs.frozen(kw_only=True)
class RunningPart:
    """A file, or a callable of an installed library."""

    what: str
    """Its place in the description, as in ``weights.pytorch_state_dict.architecture.source``."""

    name: str
    """The file as the description names it, or the callable, as in ``monai.networks.nets.UNet``."""

    sha256: str | None
    """Of the file; None for a callable."""


def running_parts(model: LoadedModel) -> tuple[RunningPart, ...]:
    """Return what may run: weights, which may hold programs, architectures, steps, attachments and files of dependencies.

    Raises:
        SourceError: A file is missing, or cannot be fetched.

    """
    references = [r for r in file_references(model.descr) if r.loc[0] in ("weights", "attachments") or {*STEPS} & {*r.loc}]
    files = [RunningPart(what=".".join(map(str, r.loc)), name=r.source, sha256=model.package.sha256_of(r.source)) for r in references]
    return (*files, *_callables(unstructured(model.descr, model.registry)))


def _callables(tree: Mapping[str, Any]) -> Iterator[RunningPart]:
    for name, entry in tree["weights"].items():
        architecture = entry.get("architecture")
        where = f"weights.{name}.architecture"
        if isinstance(architecture, Mapping) and "import_from" in architecture:
            yield RunningPart(what=where, name=f"{architecture['import_from']}.{architecture.get('callable')}", sha256=None)
        elif isinstance(architecture, str) and ":" not in architecture:
            yield RunningPart(what=where, name=architecture, sha256=None)


def digest_of_description(model: LoadedModel) -> str:
    """Return a hash of what a description says about its weights, steps and run mode: which callables run, with which arguments."""
    tree = unstructured(model.descr, model.registry)
    tensors = [*tree["inputs"], *tree["outputs"]]
    said = {
        "weights": tree["weights"],
        "steps": [[tensor.get(key) for key in STEPS] for tensor in tensors],
        "run_mode": tree.get("run_mode"),
        "attachments": tree.get("attachments"),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
