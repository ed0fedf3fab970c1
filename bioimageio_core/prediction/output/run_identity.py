"""The identity of a run: the model, its weights, the images, and the options that change results.

A resumed run must have the identity of the interrupted run: results of different runs must not be mixed in one output.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cattrs import BaseValidationError

from ...errors import OutputError
from ...io.reading.fingerprints import fingerprint
from ...structuring.freezing import thaw
from ..model.loaded_model import LoadedModel
from ..planning.plan import Plan
from ..planning.plan_json import plan_as_dict
from ..planning.run_choices import RunChoices

__all__ = ["check_same_run", "recorded_choices", "run_identity"]


IDENTITY_KEYS = (
    *("plan_format", "run_mode", "outputs", "axes", "regions", "tasks", "batch_size"),
    *("statistics_pooled_over", "skip_empty", "join_slices"),
)
"""Keys of a plan (as JSON) that influence results, or which task computes what."""


def run_identity(plan: Plan, model: LoadedModel) -> dict[str, Any]:
    """Return the identity of a run as JSON values, by part.

    Images on disk are identified by name, size, modification time and metadata, not by their pixels: rewritten chunks of a zarr array
    go unnoticed. Devices and the number of workers are not part of the identity.
    """
    data = plan_as_dict(plan)
    return {
        "model": _digest([data["model"], data["format_version"], repr(plan.model), *model.sha256_of_code()]),
        "weights": {
            "sha256": model.sha256_of_weights(plan.weights.weights_format),
            "format": plan.weights.weights_format,
            "adapter": plan.weights.adapter,
            "precision": plan.weights.precision,
        },
        "inputs": {name: {**image, "content": _content(plan, name)} for name, image in data["inputs"].items()},
        "plan": {
            **{key: data[key] for key in IDENTITY_KEYS},
            "mask": None if plan.mask is None else fingerprint(plan.mask.image),
            "stored": {o.id: [o.codec, _digest(plan.ome[o.id].metadata()) if o.id in plan.ome else None] for o in plan.outputs},
        },
        "op_files": model.sha256_of_op_files() or None,
        "statistics": _digest(thaw(plan.supplied)) if plan.supplied else None,
    }


def recorded_choices(record: Mapping[str, Any]) -> RunChoices | None:
    """Return the choices of the run that began an output; None if this version of the library cannot read them."""
    try:
        return RunChoices.from_dict(record["choices"])
    except (KeyError, BaseValidationError):
        return None


def check_same_run(location: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to resume a run with a different identity.

    Args:
        location: The output.
        before: Identity of the run that began the output.
        now: Identity of the run that would resume it.

    Raises:
        OutputError: The identities differ; the error names what differs.

    """
    different = [part for part in now if json.loads(json.dumps(now[part], default=str)) != before.get(part)]
    if different:
        words = {"plan": "options or blocks", "inputs": "images", "statistics": "given statistics", "op_files": "files of ops"}
        listed = ", ".join(words.get(part, part) for part in different)
        raise OutputError(
            f"{location} was started by a different run (different {listed}), and results of different runs cannot be mixed: "
            "resume with the original model, images and options, give overwrite=True (--overwrite) to start over, or use a different name"
        )


def _content(plan: Plan, tensor: str) -> Any:
    return next(fingerprint(i.bound.image) for i in plan.inputs if i.id == tensor)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
