"""What makes a run the run that it is: the model, its weights, the images, and how it was asked to predict.

An output is continued only by a run of the same identity, since two would not fit together.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ...errors import OutputError
from ...io.reading.fingerprints import fingerprint
from ...structuring.freezing import thaw
from ..model.loaded_model import LoadedModel
from ..options import PredictOptions
from ..planning.plan import Plan

__all__ = ["check_same_run", "run_identity"]


def run_identity(plan: Plan, model: LoadedModel, options: PredictOptions) -> dict[str, Any]:
    """Return the identity of a run as JSON values, by part.

    Of images on disk it knows name, size, time of change and metadata, not every pixel: chunks of a zarr array that are written anew
    go unnoticed. Where an adapter runs (its device) is no part of it, nor how many workers there are.
    """
    data = plan.as_dict()
    return {
        "model": _digest([data["model"], data["format_version"], repr(model.io)]),
        "weights": {
            "sha256": model.sha256_of_weights(plan.weights.weights_format),
            "format": plan.weights.weights_format,
            "adapter": plan.weights.adapter,
            "precision": plan.weights.precision,
        },
        "inputs": {name: {**image, "content": _content(plan, name)} for name, image in data["inputs"].items()},
        "plan": {
            **{
                key: data[key]
                for key in ("run_mode", "outputs", "axes", "regions", "tasks", "batch_size", "statistics_pooled_over", "skip_empty")
            },
            "mask": None if plan.mask is None else fingerprint(plan.mask.image),
        },
        "statistics": _digest(thaw(options.statistics.dataset)) if options.statistics.dataset else None,
    }


def check_same_run(location: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to continue what another run began.

    Args:
        location: The output.
        before: Identity of the run that began it.
        now: Identity of the run that would continue it.

    Raises:
        OutputError: They differ; says in what.

    """
    different = [part for part in now if json.loads(json.dumps(now[part], default=str)) != before.get(part)]
    if different:
        words = {"plan": "options or blocks", "inputs": "images", "statistics": "given statistics"}
        listed = ", ".join(words.get(part, part) for part in different)
        raise OutputError(
            f"{location} was begun by another run (other {listed}), and results of two runs do not fit together: "
            "go on with what began it, give overwrite=True (--overwrite) to begin anew, or another name"
        )


def _content(plan: Plan, tensor: str) -> Any:
    return next(fingerprint(i.bound.image) for i in plan.inputs if i.bound.tensor.id == tensor)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
