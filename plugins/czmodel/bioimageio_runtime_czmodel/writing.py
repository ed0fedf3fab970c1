"""Writers of ``.czann`` and ``.czmodel`` files."""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from bioimageio_core.prediction.model.from_v0_4 import model_io_v0_4
from bioimageio_core.prediction.model.from_v0_5 import model_io_v0_5
from bioimageio_core.prediction.model.tensor_spec import ModelIO
from bioimageio_core.units import METRES

from .archive import Member, write_archive
from .czann import CzannMetadata, dump_czann
from .czmodel import PIXEL_TYPES, CzmodelMetadata, TrainingClass, class_color, dump_czmodel, parse_czmodel
from .describing import in_metres, plain_name
from .graphs.bake import Baking, bake, load_graph
from .networks import NetworkSignature, read_network
from .options import Options, read_options
from .planning import Plan, axes_of, config_of, plan_export
from .reading import CZANN_METADATA, CZANN_NETWORK, MARKER
from .versions import Container

__all__ = ["write_czann", "write_czmodel"]

SAVED_MODEL = "tensorflow_saved_model_bundle"

IDENTIFIER = re.compile(r"[\w{}-]{1,100}", re.ASCII)
"""What can be a part of names of files."""

NAMESPACE = uuid.UUID("6f0c6f0e-5d2b-5a53-9d55-0b9a3b1a7f10")


@attrs.frozen(kw_only=True)
class Network:
    """A network as it goes into a file."""

    content: Path
    output_shape: tuple[int, ...]
    """Without batch."""


def write_czann(descr: Any, folder: Path, path: Path, **given: Any) -> tuple[str, ...]:
    """Write a ``.czann`` file; see `bioimageio_core.registry.ForeignFormatWriter`.

    Raises:
        ValueError: The format cannot hold the model; all that it cannot hold is listed.

    """
    config = config_of(descr)
    options = read_options("czann", _with_version("czann", given, config))
    plan = plan_export(descr, _io(descr), options)
    lost = [*plan.lost]
    with tempfile.TemporaryDirectory(prefix="bmz-czann-") as scratch:
        network = _network(descr, folder, plan, options, Path(scratch))
        shape = (*plan.sizes.values(), plan.channels)
        _check_shapes(plan, network)
        metadata = CzannMetadata(
            format_version=options.version.name if options.version.states_version else None,
            id=options.id or _kept_id(config) or _made_id(network, plan, options),
            type=plan.classes.type,
            input_shape=shape,
            output_shape=network.output_shape,
            min_overlap=_overlap(plan, options, config),
            classes=plan.classes.names,
            model_name=_name(descr, options, config),
            scaling=_scaling(descr, plan, options, config, lost),
            more=_plain(config.get("more") or {}),
        )
        members = [Member(name=CZANN_METADATA, content=dump_czann(metadata)), Member(name=CZANN_NETWORK, content=network.content)]
        write_archive(path, [*members, *_further(descr, folder, options, config)])
    return (*lost, *_lost(descr, plan, options))


def write_czmodel(descr: Any, folder: Path, path: Path, **given: Any) -> tuple[str, ...]:
    """Write a ``.czmodel`` file; see `bioimageio_core.registry.ForeignFormatWriter`.

    Raises:
        ValueError: The format cannot hold the model; all that it cannot hold is listed.

    """
    config = config_of(descr)
    options = read_options("czmodel", _with_version("czmodel", given, config))
    plan = plan_export(descr, _io(descr), options)
    pixel_types, handling = _pixels(plan, options, config)
    if len(pixel_types) > 1 and options.version.name == "3.0.0":
        raise ValueError(f"file version 3.0.0 holds one channel, the network takes {len(pixel_types)}: expected file version 3.1.0")
    with tempfile.TemporaryDirectory(prefix="bmz-czmodel-") as scratch:
        network = _network(descr, folder, plan, options, Path(scratch))
        _check_shapes(plan, network)
        if network.output_shape[:-1] != tuple(plan.sizes.values()):
            raise ValueError(
                f"the output has the size {list(network.output_shape[:-1])}, the input {list(plan.sizes.values())}: "
                "expected the same in a czmodel file (czann files of the type Regression can have others)"
            )
        identifier = options.id or _kept_id(config) or _made_id(network, plan, options)
        metadata = CzmodelMetadata(
            version=options.version.name,
            id=identifier,
            name=_name(descr, options, config),
            color_handling=handling,
            pixel_types=pixel_types,
            classes=_training_classes(plan, config),
            border_size=max(plan.border),
            postprocessing=str(config.get("postprocessing") or ""),
        )
        xml = dump_czmodel(metadata)
        parse_czmodel(xml)  # names may hold characters that XML cannot have
        members = [
            Member(name=f"{identifier}.xml", content=xml),
            Member(name=f"{identifier}.model", content=network.content),
            *_further(descr, folder, options, config),
            Member(name=f"{MARKER}{identifier}", content=b""),
        ]
        write_archive(path, members)
    return (*plan.lost, *_lost(descr, plan, options))


def _with_version(container: Container, given: Mapping[str, Any], config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return options that ask for the version of the file that the model was read from, where none is asked for."""
    recorded = config.get("format_version" if container == "czann" else "version")
    if recorded is None and container == "czann":  # files of the first versions do not contain theirs
        recorded = "2.0.0" if len(config.get("scaling") or ()) > 2 else "1.1.0"
    if config.get("kind") != container or given.keys() & {"file_version", "zen_blue", "zen_core"}:
        return given
    return {**given, "file_version": recorded}


def _io(descr: Any) -> ModelIO:
    build = model_io_v0_4 if descr.format_version.startswith("0.4") else model_io_v0_5
    return build(descr)


def _network(descr: Any, folder: Path, plan: Plan, options: Options, scratch: Path) -> Network:
    """Return the network: as it is where nothing is to be put around it, else as a new ONNX graph.

    Raises:
        ValueError: It cannot be converted to the requested form.
        InputError: There are no ONNX weights, nor others that can be converted.

    """
    kept = _kept_network(descr, folder, plan, options)
    if kept is not None:
        return kept
    source = _onnx_weights(descr, folder, scratch)
    baking = Baking(
        opset=options.version.opset,
        input_axes=axes_of(plan.input),
        input_ids=plan.input.axis_ids,
        output_axes=axes_of(plan.output),
        output_ids=plan.output.axis_ids,
        sizes=plan.sizes,
        channels=plan.channels,
        channel_order=plan.channel_order,
        maximum=options.input_maximum,
        preprocessing=plan.preprocessing,
        postprocessing=plan.postprocessing,
        output_number=plan.output_number,
        probabilities=plan.classes.probabilities,
    )
    model, shape = bake(load_graph(source), baking)
    content = scratch / "network.onnx"
    try:
        content.write_bytes(model.SerializeToString())
    except ValueError as error:  # of protobuf, whose messages have less than 2 GiB
        raise ValueError(f"the network with all its tensors is too large for one ONNX file: {error}") from None
    return Network(content=content, output_shape=shape[1:])


def _kept_network(descr: Any, folder: Path, plan: Plan, options: Options) -> Network | None:
    """Return the network of the model where it is already what ZEN wants."""
    wanted = ("batch", *plan.sizes, "channel")
    plain = not (plan.preprocessing or plan.postprocessing) and plan.channel_order is None and options.input_maximum is None
    if not plain or plan.classes.probabilities != "as_is" or {axes_of(plan.input), axes_of(plan.output)} != {wanted}:
        return None
    formats = ["onnx", *([SAVED_MODEL] if options.version.saved_model else [])]
    for name in (name for name in formats if name in descr.weights):
        source = folder / descr.weights[name].source
        if not source.is_file():
            continue
        try:
            found = read_network(source)
        except ValueError:  # several inputs, or tensors in another file
            continue
        shape = _fixed_shapes(found, plan)
        opset = found.fields.get("opset_version", options.version.opset)
        as_before = bool(config_of(descr).get("kind")) and opset <= options.version.opset
        if shape is not None and (as_before or opset == options.version.opset):
            return Network(content=source, output_shape=shape)
    return None


def _fixed_shapes(found: NetworkSignature, plan: Plan) -> tuple[int, ...] | None:
    """Return the shape of the output, if the network takes float32 of the size of a block, and no other."""
    shape = (*plan.sizes.values(), plan.channels)
    if found.input_dtype != "float32" or found.input_shape[1:] != shape or found.input_shape[0] not in (None, 1):
        return None
    output = found.output_shape
    if output is None or len(output) != len(shape) + 1 or None in output[1:]:
        return None
    return tuple(int(size) for size in output[1:] if size is not None)


def _onnx_weights(descr: Any, folder: Path, scratch: Path) -> Path:
    """Return the file of the ONNX weights, converting others where there are none."""
    if "onnx" in descr.weights:
        return folder / str(descr.weights["onnx"].source)
    import bioimageio_core as bc

    converted = bc.convert_weights(str(folder), "onnx", scratch / "converted")
    model = bc.load_model_description(str(converted.path))
    return scratch / "converted" / str(model.weights["onnx"].source)


def _plain(value: Any) -> Any:
    """Return what JSON can be made of."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value


def _check_shapes(plan: Plan, network: Network) -> None:
    segments = "SemanticSegmentation" in plan.classes.type
    if segments and network.output_shape[:-1] != tuple(plan.sizes.values()):
        raise ValueError(
            f"the output has the size {list(network.output_shape[:-1])}, the input {list(plan.sizes.values())}: "
            "expected the same of a segmentation (type=Regression can have another)"
        )
    if plan.classes.names is not None and not plan.classes.notes and len(plan.classes.names) != network.output_shape[-1]:
        raise ValueError(f"the network gives {network.output_shape[-1]} channels: expected {len(plan.classes.names)}, one for each class")


def _overlap(plan: Plan, options: Options, config: Mapping[str, Any]) -> tuple[int, ...] | None:
    recorded = config.get("min_overlap")
    if options.border is None and isinstance(recorded, Sequence):
        as_said = tuple(int(n) + int(n) % 2 for n in recorded)
        if (as_said * len(plan.border) if len(as_said) == 1 else as_said) == tuple(2 * n for n in plan.border):
            return as_said
    return tuple(2 * n for n in plan.border) if any(plan.border) or recorded is not None or options.border is not None else None


def _name(descr: Any, options: Options, config: Mapping[str, Any]) -> str:
    recorded = config.get("model_name")
    if options.name is not None:
        return options.name
    return recorded if isinstance(recorded, str) and plain_name(recorded) == descr.name else str(descr.name)


def _kept_id(config: Mapping[str, Any]) -> str | None:
    recorded = config.get("id")
    return recorded if isinstance(recorded, str) and IDENTIFIER.fullmatch(recorded) else None


def _made_id(network: Network, plan: Plan, options: Options) -> str:
    """Return an identifier that is the same for the same file."""
    import hashlib

    with network.content.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return str(uuid.uuid5(NAMESPACE, f"{digest} {plan.classes} {plan.border} {options.version.name}"))


def _scaling(descr: Any, plan: Plan, options: Options, config: Mapping[str, Any], lost: list[str]) -> tuple[float, ...] | None:
    """Return metres per pixel along x, y (and z), as far as the version stores them."""
    found = options.scaling or _described_scaling(plan, config)
    if found is None:
        return None
    fitting = [count for count in options.version.scaling if count <= len(found)]
    if not fitting:
        lost.append(f"File version {options.version.name} does not store the size of pixels.")
        return None
    if max(fitting) < len(found):
        lost.append(f"File version {options.version.name} does not store the size of pixels along z.")
    return found[: max(fitting)]


def _described_scaling(plan: Plan, config: Mapping[str, Any]) -> tuple[float, ...] | None:
    axes = [axis for name in reversed(tuple(plan.sizes)) if (axis := plan.input.axis(name)) is not None]
    if any(axis.unit not in METRES for axis in axes):
        return None
    found = tuple(in_metres(axis.scale, str(axis.unit)) for axis in axes)
    recorded = config.get("scaling")
    if isinstance(recorded, Sequence) and len(recorded) <= len(found):
        same = all(abs(one - float(other)) <= 1e-9 * one for one, other in zip(found, recorded, strict=False))
        return tuple(float(n) for n in recorded) if same else found
    return found


def _pixels(plan: Plan, options: Options, config: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Return the pixel type of each channel of an image, and what ZEN does with colors."""
    recorded = config.get("pixel_types")
    types = options.pixel_type or (tuple(map(str, recorded)) if isinstance(recorded, Sequence) and recorded else None)
    if types is None:
        dtype = plan.input.dtype if plan.input.dtype in ("uint8", "uint16") else "float32"
        fitting = [name for name, one in PIXEL_TYPES.items() if one.dtype == dtype and len(one.channels) == plan.channels]
        gray = next(name for name, one in PIXEL_TYPES.items() if one.dtype == dtype and len(one.channels) == 1)
        types = (fitting[0],) if fitting else (gray,) * plan.channels
    color = any(len(PIXEL_TYPES[name].channels) > 1 for name in types) and plan.channels > 1
    handling = options.color_handling or config.get("color_handling") or ("SplitRgb" if color else "ConvertToMonochrome")
    return types, str(handling)


def _training_classes(plan: Plan, config: Mapping[str, Any]) -> tuple[TrainingClass, ...]:
    names = plan.classes.names or ()
    recorded = config.get("classes")
    before = [one for one in recorded if isinstance(one, Mapping)] if isinstance(recorded, Sequence) else []
    classes = []
    for number, name in enumerate(names):
        own = before[number] if len(before) == len(names) else {}
        red, green, blue = (int(n) for n in own.get("color", class_color(number)))
        classes.append(TrainingClass(name=name, color=(red, green, blue), label=int(own.get("label", number + 1))))
    return tuple(classes)


def _further(descr: Any, folder: Path, options: Options, config: Mapping[str, Any]) -> Iterator[Member]:
    """Yield the license and the test image: those that are given, else those of the file that the model was read from."""
    given = [path for path in (options.license_file, options.test_image) if path is not None]
    names = {path.name for path in given}
    recorded = config.get("files")
    for name in recorded if isinstance(recorded, Sequence) and options.license_file is None else ():
        file = folder / str(name)
        if Path(str(name)).name == name and name not in names and file.is_file():
            yield Member(name=str(name), content=file)
    for path in given:
        yield Member(name=path.name, content=path)


def _lost(descr: Any, plan: Plan, options: Options) -> Iterator[str]:
    """Yield what no version of the file can store."""
    yield "Authors, citations, documentation and tags are lost."
    if any(tensor.test_tensor is not None for tensor in (plan.input, plan.output)):
        yield "Test tensors are not written."
    others = [name for name in descr.weights if name not in ("onnx", SAVED_MODEL)]
    if others and len(descr.weights) > 1:
        yield f"Weights other than those of the network in the file are not written: {', '.join(others)}."
    if plan.output.dtype != "float32":
        yield f"The output is float32, not {plan.output.dtype}."
    if options.license_file is None and getattr(descr, "license", None):
        yield f"The license {descr.license} is lost (the option license_file adds its text)."
    if options.test_image is not None:
        yield "No version of the format has test images: they are further members of the file."
    sizes = [axis for axis in plan.input.axes if axis.id in plan.sizes and type(axis.size).__name__ == "SteppedSize"]
    if sizes:
        yield f"Blocks have the size {' x '.join(map(str, plan.sizes.values()))}, and no other."
