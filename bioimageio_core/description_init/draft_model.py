"""Drafts a model from a file of weights: a folder with a description, test tensors, a cover and documentation."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..blocks import FixedSize
from ..errors import InputError, SourceError
from ..libraries import import_libraries
from ..network_analysis.analyse_network import analyse_network
from ..packaging.package_targets import check_target, new_folder
from ..places import check_apart
from ..prediction.geometry.network_geometry import NetworkAnalysis
from ..prediction.geometry.remembered_analyses import remember
from ..prediction.model.weights_selection import choose_weights
from ..prediction.options import PredictOptions
from ..registry import AdapterContext, Registry, WeightsAdapter
from ..report.pictures.side_by_side import side_by_side
from ..resources import allotted_cores
from ..shown import Shown
from ..sources.hashes import sha256_of
from ..spec.model.v0_5.model import LATEST
from ..spec.saving import save_description
from ..spec.validation import ValidationReport, read_tree
from ..typing import AxisId
from .describe_tensors import DraftedAxes, draft_axes, input_tree, output_tree
from .find_tensors import FoundTensors, find_tensors, ids_of
from .network_graph import Graph
from .recognise_format import EXPORTED, read_graph, recognise
from .synthetic_images import blobs
from .todo_list import Todo, todo_list
from .write_documentation import documentation_of

__all__ = ["DraftedModel", "draft_model"]

LEAST_TEST_SIZE = {1: 256, 2: 128, 3: 32}
"""Smallest size of test tensors along axes of variable size, by the number of such axes."""

LEAST_NAME = 5
"""Shortest name of a model, in characters."""

CHANNELS_LAST = ("keras_hdf5", "keras_v3", "tensorflow_js", "tensorflow_saved_model_bundle")


@attrs.frozen(kw_only=True, repr=False)
class DraftedModel(Shown):
    """A model that was drafted from a file of weights."""

    folder: Path
    """Holds ``bioimageio.yaml`` and the files that it names."""

    weights_format: str
    measured: NetworkAnalysis
    guessed: tuple[str, ...]
    """Guesses to check, in sentences."""

    notes: tuple[str, ...]
    """Unusual findings, in sentences."""

    todo: tuple[Todo, ...]
    """What the author must fill in; it has a placeholder, or is missing."""

    report: ValidationReport
    """The validation report of the description."""

    def __repr__(self) -> str:
        todo = f"{len(self.todo)} field{'s' * (len(self.todo) != 1)} to fill in"
        return f"<DraftedModel {self.folder}: {self.report.status}, {self.weights_format} weights; {todo}>"


def draft_model(
    path: Path,
    folder: Path,
    registry: Registry,
    *,
    name: str | None = None,
    axes: Mapping[str, str] | None = None,
    sizes: Mapping[AxisId, int] | None = None,
    weights_format: str | None = None,
    imports: Sequence[str] = (),
    trust: bool = False,
    overwrite: bool = False,
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> DraftedModel:
    """Draft a model from a file of weights, in a folder that appears when it is complete.

    Args:
        path: The file.
        folder: The folder to write.
        registry: The registry with the adapters.
        name: Name of the model; None: the name of the folder.
        axes: Axes by id of the input, as `parse_axes` reads them; those under ``""`` apply to all other inputs.
        sizes: Sizes that the network is known to take, by axis.
        weights_format: Format of the file; None: detected from content and name.
        imports: Libraries to import before the weights are loaded.
        trust: Whether code that comes with the weights may run.
        overwrite: Replace an existing package.
        report: Progress callback.

    Raises:
        TrustError: The weights come with code that has to run, and are not trusted.
        SourceError: The file does not exist.
        InputError: The format cannot be drafted from, or the network accepts none of the inputs that are tried.
        MissingRequirementError: The packages that run the format are not installed.
        OutputError: The folder exists, or cannot be written.

    """
    check_target(folder, overwrite=overwrite)
    model_name = _name(name, folder)
    found = weights_format or recognise(path)
    if not path.is_file():
        raise SourceError(f"{path} is not a file: expected a file with weights")
    check_apart(folder, [("its source", path)])
    import_libraries(imports)
    with new_folder(folder, overwrite=overwrite) as part:
        notes = []
        if found == EXPORTED:
            from .read_torch import torchscript_of_export

            found, weights = "torchscript", part / "weights.pt"
            torchscript_of_export(path, weights, trust=trust)
            notes.append(f"{path.name} is an archive of torch.export, which is not a weights format: the weights are stored as TorchScript")
        else:
            weights = part / f"weights{''.join(path.suffixes[-1:]).lower()}"
            shutil.copyfile(path, weights)
        graph = read_graph(weights, found, trust=trust, libraries=imports)
        external = _copy_external(graph, path.parent, part)
        entry = {"source": weights.name, "sha256": sha256_of(weights), **graph.fields, **external}
        network, adapter = _load(found, entry, weights, graph, registry, imports=imports, trust=trust)
        try:
            tried = find_tensors(network, graph, axes=axes or {}, sizes=sizes or {}, channels_last=found in CHANNELS_LAST)
            measured = attrs.evolve(analyse_network(network, tried.signature, report), adapter=adapter, weights_format=found)
            drafted = draft_axes(measured)
            inputs, outputs = _test_tensors(network, tried, drafted)
        finally:
            network.close()
        todo = todo_list(tried, graph, found)
        tree = _tree(model_name, found, entry, tried, drafted, todo, _save_tensors(part, tried, inputs, outputs))
        _save_cover(part / "cover.png", tried, inputs[0], outputs[0])
        notes += drafted.notes
        (part / "documentation.md").write_text(documentation_of(tree["name"], tried, drafted, todo, notes), encoding="utf-8")
        descr, judged = read_tree(tree, registry, str(folder / "bioimageio.yaml"))
        save_description(descr, part / "bioimageio.yaml", registry, overwrite=True)
    remember(str(entry["sha256"]), measured, tried.signature)
    return DraftedModel(
        folder=folder, weights_format=found, measured=measured, guessed=tried.guessed, notes=tuple(notes), todo=todo, report=judged
    )


def _name(given: str | None, folder: Path) -> str:
    """Return the given name, or one made from the name of the folder, whose other characters are replaced.

    Raises:
        InputError: The given name is not allowed.

    """
    if given is None:
        plain = re.sub(r"[^A-Za-z0-9_ +\-()]", "_", folder.resolve().name)[:100]
        return plain if len(plain) >= LEAST_NAME else f"model {plain}"
    if not re.fullmatch(r"[\w +\-()]{5,128}", given):
        raise InputError(f"{given!r} is not a name for a model: expected 5 to 128 letters, digits, spaces and _ + - ( )")
    return given


def _copy_external(graph: Graph, source: Path, part: Path) -> dict[str, Any]:
    """Copy the file with tensors beside the weights, if there is one, and return the field that names it."""
    if not graph.external:
        return {}
    (name, *more) = graph.external
    if more or Path(name).name != name or Path(name).suffix != ".data":
        raise InputError(
            f"the weights are spread over {', '.join(graph.external)}: expected one file beside them whose name ends in .data; "
            "save the ONNX model with all tensors in one file"
        )
    if not (source / name).is_file():
        raise SourceError(f"the weights name the file {name}, which holds a part of them and does not exist: expected it in {source}")
    shutil.copyfile(source / name, part / name)
    return {"external_data": {"source": name, "sha256": sha256_of(part / name)}}


def _load(
    weights_format: str, entry: Mapping[str, Any], weights: Path, graph: Graph, registry: Registry, *, imports: Sequence[str], trust: bool
) -> tuple[WeightsAdapter, str]:
    """Return the network, and the name of its adapter."""
    described = registry.weights_formats.get(weights_format)
    if described is None:
        raise InputError(f"weights format {weights_format!r} is not known: expected one of {', '.join(sorted(registry.weights_formats))}")
    fields = {key: value for key, value in entry.items() if key != "external_data"}
    descr = described.descr["0.5"](**fields)
    choice = choose_weights({weights_format: descr}, registry, PredictOptions())
    files = {} if "external_data" not in entry else {"external_data": str(weights.parent / entry["external_data"]["source"])}
    context = AdapterContext(
        weights=descr,
        path=str(weights),
        files=files,
        input_ids=ids_of([t.name for t in graph.inputs], "input"),
        output_ids=ids_of([t.name for t in graph.outputs], "output") if graph.outputs else ("output",),
        device="cpu",
        threads=max(1, allotted_cores() // 2),  # most calls are small
        trust=trust,
        imports=tuple(imports),
    )
    return registry.weights_adapters[choice.adapter].load()(context), choice.adapter


def _test_tensors(network: WeightsAdapter, tried: FoundTensors, drafted: DraftedAxes) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Return test images, and the outputs of the network for them."""
    inputs = []
    for number, tensor in enumerate(tried.signature.inputs):
        shape = list(tensor.shape)
        for axis, size, halos in zip(drafted.measured.axes, drafted.sizes, drafted.halos, strict=True):
            ratio = dict(axis.inputs).get(tensor.id)
            if ratio is not None:
                # With a halo, large enough for the core of a block, so that the picture shows it.
                least = max(
                    LEAST_TEST_SIZE.get(len(tried.signature.analysed), 32),
                    3 * max((int(h / o.ratio) for h, o in zip(halos, axis.outputs, strict=True)), default=0),
                )
                first = size.value if isinstance(size, FixedSize) else size.smallest(least)
                shape[tensor.axes.index(axis.axis)] = int(first * ratio)
        inputs.append(blobs(shape, tensor.axes, tensor.dtype, number=number))
    outputs = [np.asarray(o) for o in network(inputs)]
    return inputs, outputs[: len(tried.signature.outputs)]


def _save_tensors(part: Path, tried: FoundTensors, inputs: list[NDArray[Any]], outputs: list[NDArray[Any]]) -> dict[str, dict[str, str]]:
    """Save test tensors, and return their file descriptions by tensor id."""
    saved = {}
    words = [*(("input", n, len(inputs)) for n in range(len(inputs))), *(("output", n, len(outputs)) for n in range(len(outputs)))]
    for tensor, array, (word, number, several) in zip(tried.signature.tensors, (*inputs, *outputs), words, strict=True):
        file = f"test_{word}.npy" if several == 1 else f"test_{word}_{number}.npy"
        np.save(part / file, array)
        saved[tensor.id] = {"source": file, "sha256": sha256_of(part / file)}
    return saved


def _save_cover(path: Path, tried: FoundTensors, image: NDArray[Any], result: NDArray[Any]) -> None:
    """Save a picture of the first input, beside the first output if that is an image."""
    pictures = [_as_plane(image, tried.signature.inputs[0].axes)]
    if "x" in tried.signature.outputs[0].axes:
        pictures.append(_as_plane(result, tried.signature.outputs[0].axes))
    side_by_side([p for p in pictures if p.size], path, max_pixels=512)


def _as_plane(array: NDArray[Any], axes: tuple[AxisId, ...]) -> NDArray[Any]:
    """Return the middle plane along y and x of the first item and channel; a line becomes a strip."""
    at = tuple(slice(None) if a in ("y", "x") else size // 2 if a == "z" else 0 for a, size in zip(axes, array.shape, strict=True))
    plane = np.asarray(array[at])
    plane = plane.T if "y" in axes and axes.index("x") < axes.index("y") else plane
    return np.repeat(np.atleast_2d(plane), 1 if plane.ndim == 2 else 32, axis=0)


def _tree(
    name: str,
    weights_format: str,
    entry: Mapping[str, Any],
    tried: FoundTensors,
    drafted: DraftedAxes,
    todo: tuple[Todo, ...],
    files: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    inputs = [{**input_tree(n, tried, drafted), "test_tensor": dict(files[t.id])} for n, t in enumerate(tried.signature.inputs)]
    outputs = [{**output_tree(n, tried, drafted), "test_tensor": dict(files[t.id])} for n, t in enumerate(tried.signature.outputs)]
    return {
        "type": "model",
        "format_version": LATEST,
        "name": name,
        "description": "TODO: what the model does, in a sentence.",
        "authors": [{"name": "TODO"}],
        "cite": [{"text": "TODO: what to cite, with its DOI", "url": "https://example.com/TODO"}],
        "documentation": {"source": "documentation.md"},
        "covers": [{"source": "cover.png"}],
        "inputs": inputs,
        "outputs": outputs,
        "weights": {weights_format: dict(entry)},
        "config": {"bioimageio_runtime": {"todo": [f"{t.path}: {t.text}" for t in todo]}},
    }
