"""Writes folders that deepImageJ can install."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import yaml

import bioimageio_core as bc
from bioimageio_core.units import unit_symbol
from bioimageio_core.weights.archives import WeightsFolder

from .config_block import DeepimagejConfig, ModelKeys, PixelSize, Step, TestImage, read_block
from .legacy_config import write_legacy
from .macro_steps import has_planes, ops_of_macro
from .macro_writing import write_macros
from .measured_run import MeasuredRun, measure_run
from .to_legacy import legacy_of
from .to_v0_4 import as_v0_4, source_of

__all__ = ["write_deepimagej"]

RUNS = ("tensorflow_saved_model_bundle", "torchscript", "onnx")
"""Weights that deepImageJ runs; ONNX since 3.0.3."""

LAYOUTS = ("yaml", "xml")


def write_deepimagej(descr: Any, folder: Path, path: Path, *, layout: str = "yaml", measure: bool = False) -> tuple[str, ...]:
    """Write a folder; see `bioimageio_core.registry.ForeignFormatWriter`.

    Args:
        descr: The description.
        folder: Its files.
        path: The folder to write.
        layout: ``yaml``, as deepImageJ 2 and 3 read it, or ``xml``, as deepImageJ 1 does.
        measure: Run the model once, and write down time and memory; test tensors that are missing are made.

    Raises:
        ValueError: deepImageJ cannot run the model; all reasons are in the sentence.

    """
    if layout not in LAYOUTS:
        raise ValueError(f"expected the layout yaml or xml, found {layout!r}")
    if not isinstance(measure, bool):
        raise ValueError(f"expected true or false for measure, found {measure!r}")
    tree, lost = _as_tree(descr, folder), []
    run = _measured(tree, folder) if measure else None
    _complete(tree, folder, layout)
    ready, dropped = (tree, []) if str(tree["format_version"]).startswith("0.4") else as_v0_4(tree)
    lost += dropped
    _check_weights(ready["weights"], layout)
    macros: dict[str, str] = {}
    steps: dict[str, tuple[Step, ...]] = {}
    for key, tensors, where in (("preprocess", "inputs", "preprocessing"), ("postprocess", "outputs", "postprocessing")):
        steps[key] = ()
        for tensor in tree[tensors]:
            name = str(tensor.get("id") or tensor.get("name"))
            kept = _kept(tree, key, tensor, where, folder)
            if kept:
                steps[key] = kept
                continue
            written = write_macros(tensor.get(where) or (), f"{where}.ijm", name, planes=has_planes(tensor))
            if written.files and len(tree[tensors]) > 1:
                lost.append(f"The ops of {name!r} have no macro, since deepImageJ runs macros on one image: deepImageJ 2 leaves them out.")
                continue
            lost += written.lost
            macros |= written.files
            steps[key] = tuple(Step.of_macro(file) for file in written.files)
    config, notes = _block(tree, ready, folder, steps, run)
    lost += notes
    path.mkdir(parents=True)
    shutil.copytree(folder, path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("bioimageio.yaml", "rdf.yaml", "model.yaml"))
    for name, text in macros.items():
        if (path / name).exists() and (path / name).read_bytes() != text.encode():
            raise ValueError(f"the macro {name!r} has the name of another file of the model: give it a name of its own")
        (path / name).write_bytes(text.encode())
    if layout == "xml":
        return (*lost, *_write_xml(ready, config, path))
    attached = [*(ready.get("attachments") or {}).get("files", ()), *macros]
    ready = {key: value for key, value in ready.items() if key != "run_mode"}
    ready["attachments"] = {**(ready.get("attachments") or {}), "files": list(dict.fromkeys(attached))}
    ready["config"] = {**(ready.get("config") or {}), "deepimagej": config.as_tree()}
    (path / "rdf.yaml").write_text(yaml.safe_dump(ready, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return tuple(lost)


def _as_tree(descr: Any, folder: Path) -> dict[str, Any]:
    written = folder / ".description.yaml.part"
    bc.save_description(descr, written)
    tree: dict[str, Any] = yaml.safe_load(written.read_text(encoding="utf-8"))
    written.unlink()
    if str(tree["format_version"]).startswith("0.5"):
        for key in ("inputs", "outputs"):
            for tensor, node in zip(tree[key], getattr(descr, key), strict=True):
                tensor.setdefault("id", node.id)
                for axis, axis_node in zip(tensor["axes"], node.axes, strict=True):
                    axis.setdefault("id", axis_node.id)
    return tree


def _kept(tree: Mapping[str, Any], side: str, tensor: Mapping[str, Any], where: str, folder: Path) -> tuple[Step, ...]:
    """Return the macros that the description names, if all are there and the ops are what they do."""
    found = (tree.get("config") or {}).get("deepimagej")
    steps: tuple[Step, ...] = getattr(read_block(found)[0], side) if isinstance(found, Mapping) else ()
    files = [folder / step.macro if step.macro else None for step in steps]
    if not files or not all(file is not None and file.is_file() for file in files):
        return ()
    key = "id" if str(tree["format_version"]).startswith("0.5") else "name"
    ops = [op for file in files if file for op in ops_of_macro(file.read_text(encoding="utf-8", errors="replace"), file.name, key)]
    same = [{key: op[key], "kwargs": op.get("kwargs") or {}} for op in tensor.get(where) or ()] == ops
    return steps if same else ()


def _check_weights(weights: Mapping[str, Any], layout: str) -> None:
    runs = RUNS if layout == "yaml" else RUNS[:2]
    if not any(name in weights for name in runs):
        found = ", ".join(weights) or "none"
        raise ValueError(f"expected weights that deepImageJ runs ({', '.join(runs)}; bmz convert makes some), found {found}")


def _complete(tree: dict[str, Any], folder: Path, layout: str) -> None:
    """Add what every folder has to have."""
    if not tree.get("documentation"):  # which format 0.4 asks for
        (folder / "README.md").write_text(f"# {tree['name']}\n\n{tree.get('description') or ''}\n", encoding="utf-8")
        tree["documentation"] = "README.md"
    if layout == "xml" and str(tree["format_version"]).startswith("0.5"):  # which has no place for license and test tensors
        tree.setdefault("license", "unknown")
        for tensor in (*tree["inputs"], *tree["outputs"]):
            tensor.setdefault("test_tensor", {"source": ""})


def _measured(tree: dict[str, Any], folder: Path) -> MeasuredRun:
    """Run the model once; make test tensors that are missing."""
    older = str(tree["format_version"]).startswith("0.4")
    names = {key: [str(t.get("id") or t.get("name")) for t in tree[key]] for key in ("inputs", "outputs")}
    if older:
        return measure_run(folder, dict(zip(names["inputs"], tree["test_inputs"], strict=False)), {}, {}, bare=[])
    make: dict[str, list[int]] = {}
    save: dict[str, str] = {}
    missing = not all(t.get("test_tensor") for t in (*tree["inputs"], *tree["outputs"]))
    for tensor in tree["inputs"]:
        if missing or not tensor.get("test_tensor"):
            make[tensor["id"]] = [_made_size(axis) for axis in tensor["axes"]]
            tensor["test_tensor"] = {"source": f"test_{tensor['id']}.npy"}
    for tensor in tree["outputs"] if missing else ():
        tensor["test_tensor"] = {"source": f"test_{tensor['id']}.npy"}
        save[tensor["id"]] = tensor["test_tensor"]["source"]
    halo = sorted({axis["id"] for t in tree["outputs"] for axis in t["axes"] if axis.get("halo")})
    return measure_run(folder, {t["id"]: source_of(t["test_tensor"]) for t in tree["inputs"]}, make, save, bare=halo)


def _made_size(axis: Mapping[str, Any]) -> int:
    if axis.get("channel_names"):
        return len(axis["channel_names"])
    size = axis.get("size")
    if isinstance(size, Mapping) and "min" in size:
        least, step = int(size["min"]), int(size["step"])
        return least + max(0, -(-(64 - least) // step)) * step
    return size if isinstance(size, int) else 1


def _block(
    tree: Mapping[str, Any], ready: Mapping[str, Any], folder: Path, steps: Mapping[str, tuple[Step, ...]], run: MeasuredRun | None
) -> tuple[DeepimagejConfig, tuple[str, ...]]:
    """Return the block ``config.deepimagej``, updated from the description; and its parts that cannot be read."""
    found = (tree.get("config") or {}).get("deepimagej")
    config, notes = read_block(found) if isinstance(found, Mapping) else (DeepimagejConfig(), ())
    information = config.test_information
    images = {}
    for key, file_key in (("inputs", "test_inputs"), ("outputs", "test_outputs")):
        pairs = zip(ready[key], ready.get(file_key) or (), tree[key], strict=False)
        images[key] = tuple(i for i in (_image(folder, *pair, result=key == "outputs") for pair in pairs) if i is not None)
    if images["inputs"]:
        information = attrs.evolve(information, inputs=images["inputs"], outputs=images["outputs"])
    if run is not None:
        information = attrs.evolve(information, runtime=(round(run.seconds, 1), "s"), memory_peak=run.memory_text())
    keys = config.model_keys
    if keys is None and "tensorflow_saved_model_bundle" in ready["weights"]:
        keys = ModelKeys()
    pre, post = steps["preprocess"], steps["postprocess"]
    return attrs.evolve(config, test_information=information, model_keys=keys, preprocess=pre, postprocess=post), notes


def _image(folder: Path, tensor: Mapping[str, Any], file: str, written: Mapping[str, Any], *, result: bool) -> TestImage | None:
    """Return name, size and pixel size of a test tensor."""
    try:
        found = np.load(folder / file, mmap_mode="r", allow_pickle=False).shape
    except (OSError, ValueError, EOFError):  # missing, or no array
        return None
    shape = dict(zip(tensor["axes"], found, strict=False))
    size = tuple(int(shape.get(axis, 1)) for axis in "xycz")
    if result:
        return TestImage(name=file, size=size, type="image")
    scales: dict[str, tuple[float, str]] = {}
    for axis in written["axes"] if not isinstance(written["axes"], str) else ():
        if axis.get("id") in ("x", "y", "z") and axis.get("unit"):
            scales[axis["id"]] = (float(axis.get("scale", 1.0)), unit_symbol(axis["unit"]))
    return TestImage(name=file, size=size, pixel_size=PixelSize(**scales))


def _write_xml(ready: Mapping[str, Any], config: DeepimagejConfig, path: Path) -> list[str]:
    """Write ``config.xml``, and weights as deepImageJ 1 finds them."""
    legacy, lost = legacy_of(ready, config)
    if "tensorflow_saved_model_bundle" in ready["weights"]:
        archive = path / ready["weights"]["tensorflow_saved_model_bundle"]["source"]
        _unpack(archive, path)
    (path / "config.xml").write_text(write_legacy(legacy), encoding="utf-8")
    return [*lost, *(f"The weights {name} are not run by deepImageJ 1." for name in ready["weights"] if name not in RUNS[:2])]


def _unpack(archive: Path, path: Path) -> None:
    """Put a SavedModel beside the configuration, in place of its zip."""
    unpacked = WeightsFolder(archive, "saved_model.pb")
    try:
        for part in unpacked.path.iterdir():
            (shutil.copytree if part.is_dir() else shutil.copyfile)(part, path / part.name)
    finally:
        unpacked.close()
    if zipfile.is_zipfile(archive):
        archive.unlink()
