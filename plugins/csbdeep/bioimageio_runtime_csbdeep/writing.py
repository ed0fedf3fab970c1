"""Models as exports for Fiji."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import bioimageio_core as bc
from bioimageio_core.errors import ModelRunError
from bioimageio_core.typing import FrozenMapping
from bioimageio_core.weights.archives import WeightsFolder

from .describing import AXES, save_zip

__all__ = ["write_csbdeep", "write_stardist"]

SAVED_MODEL = "tensorflow_saved_model_bundle"
KERAS = ("keras_v3", "keras_hdf5")
VERSION = "0.8.2"
"""The release of CSBDeep whose ``meta.json`` is written, where the model does not come from one."""

NAMELESS = ("authors", "maintainers", "cite", "license", "documentation", "git_repo", "covers", "tags", "training_data")
SAID_OF_TENSORS = (("test_tensor", "test tensors"), ("sample_tensor", "sample images"))


def write_csbdeep(descr: Any, folder: Path, path: Path) -> tuple[str, ...]:
    """Write a zip for the CSBDeep plugins of Fiji; see `bioimageio_core.registry.ForeignFormatWriter`.

    Args:
        descr: A model, of any version of the format.
        folder: The files that it names.
        path: The zip.

    Raises:
        ValueError: It has no SavedModel, and none can be made from its weights; or CSBDeep cannot represent it: all reasons are listed.

    """
    model = _newest(descr, folder)
    problems = [*_problems(model)]
    if problems:
        raise ValueError(f"CSBDeep cannot represent that {'; that '.join(problems)}")
    meta = json.dumps(_meta(model)).encode()
    lost = _write(model, folder, path, {"meta.json": meta})
    least = [axis.id for axis in model.inputs[0].axes if _least_is_more(model, axis)]
    if least:
        lost.append(f"the least size along {', '.join(least)} is lost: CSBDeep takes any multiple of axes_div_by")
    return tuple(lost)


def write_stardist(descr: Any, folder: Path, path: Path) -> tuple[str, ...]:
    """Write a zip for the StarDist plugin of Fiji; see `bioimageio_core.registry.ForeignFormatWriter`.

    Args:
        descr: A model, of any version of the format.
        folder: The files that it names.
        path: The zip.

    Raises:
        ValueError: It is not a network of StarDist, or has no SavedModel.

    """
    model = _newest(descr, folder)
    if "stardist" not in model.config:
        raise ValueError("it is not known to be a network of StarDist: expected 'stardist' in its config")
    problems = [*_op_problems(model)]
    if problems:
        raise ValueError(f"StarDist cannot represent that {'; that '.join(problems)}")
    lost = _write(model, folder, path, {})
    if model.config["stardist"].get("thresholds"):
        lost.append("the thresholds of probability and overlap are lost: set them in the plugin")
    return tuple(lost)


def _newest(descr: Any, folder: Path) -> Any:
    return descr if str(descr.format_version).startswith("0.5") else bc.update_format(folder)


def _write(model: Any, folder: Path, path: Path, added: Mapping[str, bytes]) -> list[str]:
    lost = [*_lost(model)]
    with tempfile.TemporaryDirectory(prefix="bmz-csbdeep-") as scratch:
        source = folder
        if SAVED_MODEL not in model.weights:
            if not any(name in model.weights for name in KERAS):
                found = ", ".join(model.weights)
                raise ValueError(f"it has weights {found}: expected {SAVED_MODEL}, or {' or '.join(KERAS)} to make it of (bmz convert)")
            source = bc.convert_weights(folder, SAVED_MODEL, Path(scratch) / "converted").path
            model = bc.load_model_description(source)
            lost.append("the SavedModel was made of Keras weights; whether Fiji's TensorFlow 1 runs it is not known")
        try:
            with closing(WeightsFolder(source / model.weights[SAVED_MODEL].source, "saved_model.pb")) as weights:
                save_zip(weights.path, path, added)
        except ModelRunError as error:
            raise ValueError(str(error)) from None
    return lost


def _problems(model: Any) -> Iterator[str]:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        yield f"the network has {len(model.inputs)} inputs and {len(model.outputs)} outputs: one of each is what it takes"
        return
    (given,), (result,) = model.inputs, model.outputs
    yield from _op_problems(model)
    if model.run_mode is not None:
        yield f"the run mode {model.run_mode.name} is asked for"
    types = [axis.type for axis in given.axes]
    if types[:1] != ["batch"] or types.count("channel") != 1 or "index" in types or any(_letter(a) is None for a in given.axes[1:]):
        found = ", ".join(axis.id for axis in given.axes)
        yield f"the input has the axes {found}: a batch, then each of channel, time, z, y, x at most once, is what it takes"
        return
    if [axis.id for axis in result.axes] != [axis.id for axis in given.axes]:
        yield f"the output has other axes ({', '.join(a.id for a in result.axes)}) than the input"
        return
    for axis, out in zip(given.axes, result.axes, strict=True):
        if axis.type in ("space", "time"):
            yield from _size_problems(given.id, axis, out)
    for tensor in (given, result):
        if getattr(tensor.data, "type", "") != "float32":
            yield f"the tensor {tensor.id} is not of float32"


def _size_problems(tensor: str, axis: Any, out: Any) -> Iterator[str]:
    if not hasattr(axis.size, "step"):
        yield f"the size along {axis.id} is fixed, or that of another axis: multiples of a step are what it takes"
        return
    size = out.size
    same = getattr(size, "tensor_id", "") == tensor and size.axis_id == axis.id and not size.offset and out.scale == axis.scale
    if not same:
        yield f"the output has another size along {axis.id} than the input"


def _op_problems(model: Any) -> Iterator[str]:
    for tensor in (*model.inputs, *model.outputs):
        before = [step.id for step in getattr(tensor, "preprocessing", ())]
        after = [step.id for step in getattr(tensor, "postprocessing", ())]
        if [op for op in before if op not in ("ensure_dtype", "scale_range")] or before.count("scale_range") > 1:
            yield f"{tensor.id} is prepared by {', '.join(before)}: one scale_range is what Fiji does"
        if [op for op in after if op != "ensure_dtype"]:
            yield f"{tensor.id} is post-processed by {', '.join(after)}"


def _lost(model: Any) -> Iterator[str]:
    described = [name for name in NAMELESS if getattr(model, name, None)]
    tensors = (*model.inputs, *model.outputs)
    described += [words for name, words in SAID_OF_TENSORS if any(getattr(tensor, name, None) is not None for tensor in tensors)]
    described += [f"weights {name}" for name in model.weights if name not in (SAVED_MODEL, *KERAS)]
    if described:
        yield f"not stored: {', '.join(described)}"
    for step in (step for tensor in model.inputs for step in tensor.preprocessing):
        if step.id == "scale_range":
            low, high = (f"{getattr(step.kwargs, f'{end}_percentile', default):g}" for end, default in (("min", 0.0), ("max", 100.0)))
            yield f"the percentiles {low} and {high} of the normalisation are lost: set them in Fiji"


def _meta(model: Any) -> dict[str, Any]:
    """Return ``meta.json``; values that a description has in other fields come from there."""
    kept = dict(model.config.get("csbdeep", FrozenMapping()))
    axes = model.inputs[0].axes[1:]
    names = next(axis.channel_names for axis in model.outputs[0].axes if axis.type == "channel")
    return {
        "type": kept.pop("type", "CARE"),
        "version": kept.pop("version", VERSION),
        "probabilistic": sum(n.startswith("mean") for n in names) == sum(n.startswith("scale") for n in names) > 0,
        "axes": "".join(str(_letter(axis)) for axis in axes),
        "axes_div_by": [getattr(getattr(axis, "size", None), "step", 1) for axis in axes],
        "tile_overlap": [_halo(model, axis.id) for axis in axes],
        **{key: value for key, value in kept.items() if key not in ("probabilistic", "axes", "axes_div_by", "tile_overlap")},
    }


def _least_is_more(model: Any, axis: Any) -> bool:
    """Return whether a size is asked for that is more than what is left of within the halo, as descriptions of such models have it."""
    size: Any = getattr(axis, "size", None)
    return hasattr(size, "step") and size.min > size.step * (2 * _halo(model, axis.id) // size.step + 1)


def _halo(model: Any, axis: str) -> int:
    return next((getattr(out, "halo", 0) for out in model.outputs[0].axes if out.id == axis), 0)


def _letter(axis: Any) -> str | None:
    """Return what CSBDeep calls an axis; None: it has no such axis."""
    kind = axis.type if axis.type in ("channel", "time") else axis.id
    return {name: letter for letter, name in AXES.items()}.get(kind)
