"""Descriptions of format 0.5 as ones of 0.4, which deepImageJ reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from bioimageio_core.axis_names import LETTER_OF

__all__ = ["as_v0_4", "source_of"]

FORMATS: Mapping[str, tuple[str, ...]] = {
    "tensorflow_saved_model_bundle": ("tensorflow_version",),
    "torchscript": ("pytorch_version",),
    "onnx": ("opset_version",),
    "keras_hdf5": ("tensorflow_version",),
}
"""Weights formats of 0.4 that are kept, and their fields."""

PLAIN = ("name", "description", "license", "tags", "git_repo", "timestamp", "version", "links", "icon")
OPS = ("binarize", "clip", "scale_linear", "sigmoid", "zero_mean_unit_variance", "fixed_zero_mean_unit_variance", "scale_range")


def as_v0_4(tree: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a description of format 0.4, and what is lost, each in a sentence.

    Raises:
        ValueError: The format cannot hold the model; all reasons are in the sentence.

    """
    return _Writer().model(tree)


class _Writer:
    """Collects what is lost, and what cannot be."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.wrong: list[str] = []

    def model(self, tree: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        inputs, outputs = tree["inputs"], tree["outputs"]
        sizes = {(t["id"], _axis_id(a)): self._input_size(t, a, inputs) for t in inputs for a in t["axes"]}
        result: dict[str, Any] = {"type": "model", "format_version": "0.4.10"}
        result |= {key: tree[key] for key in PLAIN if tree.get(key) is not None}
        result.setdefault("timestamp", datetime.now(UTC).isoformat(timespec="seconds"))
        result["documentation"] = source_of(tree["documentation"])
        if tree.get("covers"):
            result["covers"] = [source_of(cover) for cover in tree["covers"]]
        result["authors"] = [_person(p) for p in tree.get("authors") or ()] or [{"name": "unknown"}]
        result["cite"] = [{k: v for k, v in c.items() if v is not None} for c in tree.get("cite") or ()]
        result["inputs"] = [self._input(t, sizes) for t in inputs]
        result["outputs"] = [self._output(t, inputs) for t in outputs]
        for key, tensors in (("inputs", inputs), ("outputs", outputs)):
            result[f"test_{key}"] = self._files(tensors, "test_tensor", key)
            samples = [source_of(t["sample_tensor"]) for t in tensors if t.get("sample_tensor")]
            if len(samples) == len(tensors):
                result[f"sample_{key}"] = samples
        result["weights"] = self._weights(tree["weights"])
        attached = [source_of(a) for a in tree.get("attachments") or ()]
        if attached:
            result["attachments"] = {"files": attached}
        if not result.get("license"):
            self.wrong.append("expected a license in the description")
        result["config"] = dict(tree.get("config") or {})
        if self.wrong:
            raise ValueError("; ".join(self.wrong))
        return result, self.lost

    def _input_size(self, tensor: Mapping[str, Any], axis: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
        """Return least size and step."""
        match axis:
            case {"type": "batch"}:
                return axis.get("size") or 1, 0
            case {"channel_names": [*names]}:
                return len(names), 0
            case {"size": int(size)}:
                return size, 0
            case {"size": {"min": least, "step": step}}:
                return least, step
            case {"size": {"tensor_id": other, "axis_id": name}}:
                self.lost.append(f"Axis {name!r} of {tensor['id']!r} is not tied to {other!r} any more.")
                referred = next(
                    (a for t in inputs if t["id"] == other for a in t["axes"] if _axis_id(a) == name and not _refers(a)),
                    {"size": 1},
                )
                return self._input_size(tensor, referred, inputs)
        self.wrong.append(f"axis {_axis_id(axis)!r} of {tensor['id']!r} has a size that format 0.4 does not know")
        return 1, 0

    def _input(self, tensor: Mapping[str, Any], sizes: Mapping[tuple[str, str], tuple[int, int]]) -> dict[str, Any]:
        own = [sizes[tensor["id"], _axis_id(a)] for a in tensor["axes"]]
        shape: Any = [least for least, _ in own]
        if any(step for _, step in own):
            shape = {"min": shape, "step": [step for _, step in own]}
        return {**self._tensor(tensor), "shape": shape, **self._ops(tensor, "preprocessing")}

    def _output(self, tensor: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        references = {a["size"]["tensor_id"] for a in tensor["axes"] if _refers(a)}
        if len(references) > 1:
            self.wrong.append(f"output {tensor['id']!r} follows {' and '.join(sorted(references))}: format 0.4 lets it follow one")
        if not references:
            shape: Any = [self._input_size(tensor, a, inputs)[0] for a in tensor["axes"]]
        else:
            other = references.pop()
            referred = next((t for t in inputs if t["id"] == other), {"axes": ()})
            scales, offsets = zip(*(self._scale(a, tensor, referred) for a in tensor["axes"]), strict=True)
            shape = {"reference_tensor": other, "scale": list(scales), "offset": list(offsets)}
        halo = [a.get("halo", 0) for a in tensor["axes"]]
        return {**self._tensor(tensor), "shape": shape, **({"halo": halo} if any(halo) else {}), **self._ops(tensor, "postprocessing")}

    def _scale(self, axis: Mapping[str, Any], tensor: Mapping[str, Any], referred: Mapping[str, Any]) -> tuple[float, float]:
        """Return scale and (half of the) offset of an axis that follows one of the same name, or is as it is."""
        if axis.get("type") == "batch":
            return 1.0, 0.0
        if not _refers(axis):
            return 0.0, self._input_size(tensor, axis, ())[0] / 2
        size = axis["size"]
        base: Mapping[str, Any] = next((a for a in referred["axes"] if _axis_id(a) == size["axis_id"]), {})
        if _axis_id(axis) != size["axis_id"]:
            self.wrong.append(f"axis {_axis_id(axis)!r} of {tensor['id']!r} follows axis {size['axis_id']!r}: format 0.4 has no such thing")
        ratio = Fraction(str(base.get("scale", 1.0))) / Fraction(str(axis.get("scale", 1.0)))
        return float(ratio), (size.get("offset") or 0) / 2

    def _tensor(self, tensor: Mapping[str, Any]) -> dict[str, Any]:
        data = tensor.get("data") or {}
        if not isinstance(data, Mapping):
            self.lost.append(f"The channels of {tensor['id']!r} are not described one by one.")
            data = data[0]
        axes = "".join(LETTER_OF.get(a["type"], _axis_id(a)) for a in tensor["axes"])
        return {"name": tensor["id"], "axes": axes, "data_type": data.get("type", "float32")}

    def _ops(self, tensor: Mapping[str, Any], where: str) -> dict[str, Any]:
        found = []
        for op in tensor.get(where) or ():
            translated = self._op(op, tensor)
            if translated is None:
                if op["id"] not in ("imagej_macro", "ensure_dtype"):
                    self.lost.append(f"Format 0.4 does not know the op {op['id']} of {tensor['id']!r} as it is used here.")
                continue
            found.append(translated)
        return {where: found} if found else {}

    def _op(self, op: Mapping[str, Any], tensor: Mapping[str, Any]) -> dict[str, Any] | None:
        name, kwargs = op["id"], dict(op.get("kwargs") or {})
        if name not in OPS or (any(kwargs.get(key) is not None for key in ("min_percentile", "max_percentile")) and name == "clip"):
            return None
        letters = "".join(LETTER_OF.get(a["type"], _axis_id(a)) for a in tensor["axes"] if a["type"] != "batch")
        written = kwargs.pop("axis", "")
        axis = LETTER_OF.get(written, written)
        match name:
            case "binarize" if isinstance(kwargs["threshold"], list):
                return None
            case "clip":
                if kwargs.get("min") is None or kwargs.get("max") is None:
                    return None
                kwargs = {key: kwargs[key] for key in ("min", "max")}
            case "scale_linear":
                kwargs |= {"axes": letters.replace(axis, "")} if axis else {}
            case "fixed_zero_mean_unit_variance":
                name, kwargs = (
                    "zero_mean_unit_variance",
                    {"mode": "fixed", "axes": letters.replace(axis, "") if axis else letters, **kwargs},
                )
            case "zero_mean_unit_variance" | "scale_range":
                axes = kwargs.pop("axes", None)
                over = letters if axes is None else "".join(LETTER_OF.get(a, a) for a in axes if a != "batch")
                kwargs = {"mode": "per_dataset" if axes and "batch" in axes else "per_sample", "axes": over, **kwargs}
        return {"name": name, "kwargs": kwargs} if kwargs else {"name": name}

    def _files(self, tensors: Iterable[Mapping[str, Any]], key: str, what: str) -> list[str]:
        found = [source_of(t[key]) for t in tensors if t.get(key)]
        if len(found) < len(list(tensors)):
            self.wrong.append(f"expected test tensors of all {what} (the option measure makes them)")
        return found

    def _weights(self, weights: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for name, entry in weights.items():
            if name not in FORMATS:
                self.lost.append(f"The weights {name} are left out.")
                continue
            known = {key: entry[key] for key in ("source", "sha256", *FORMATS[name]) if entry.get(key) is not None}
            found[name] = {key: str(v) if key.endswith("_version") and key != "opset_version" else v for key, v in known.items()}
        return found


def source_of(file: Any) -> str:
    """Return the name of a file that is given alone, or with its hash."""
    return str(file["source"] if isinstance(file, Mapping) else file)


def _axis_id(axis: Mapping[str, Any]) -> str:
    return str(axis.get("id") or axis.get("type"))


def _refers(axis: Mapping[str, Any]) -> bool:
    size = axis.get("size")
    return isinstance(size, Mapping) and "tensor_id" in size


def _person(person: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in person.items() if value is not None}
