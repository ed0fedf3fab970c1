"""Whether an output is probabilities of classes, and what makes them sum to 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from bioimageio_core.blocks import FixedSize
from bioimageio_core.prediction.model.tensor_spec import AxisIO, TensorIO
from bioimageio_core.processing.arguments import softmax_axis

from .graphs.bake import Probabilities
from .options import Options

__all__ = ["BACKGROUND", "Classes", "channel_of", "decide_classes"]

BACKGROUND = "Background"
SEGMENTATION, REGRESSION = "SingleClassSemanticSegmentation", "Regression"
WITHOUT_CLASSES = (REGRESSION, "ObjectDetection")


@attrs.frozen(kw_only=True)
class Classes:
    """What an output is in ZEN."""

    type: str = REGRESSION
    names: tuple[str, ...] | None = None
    probabilities: Probabilities = "as_is"
    notes: tuple[str, ...] = ()
    """What is wrong with them, in sentences."""


def channel_of(tensor: TensorIO) -> AxisIO | None:
    """Return the axis of the channels, whatever its id."""
    return next((axis for axis in tensor.axes if axis.kind == "channel"), None)


def decide_classes(descr: Any, output: TensorIO, number: int, options: Options, config: Mapping[str, Any]) -> Classes:
    """Decide what an output is.

    Raises:
        ValueError: It should be probabilities, but they are not known to sum to 1.

    """
    channel = channel_of(output)
    count = channel.size.value if channel is not None and isinstance(channel.size, FixedSize) else 1
    legacy = options.version.container == "czmodel"
    bounded = _bounded(descr, output, number)
    known = _known_names(config)
    as_before = bool(config.get("kind")) and options.classes is None and _as_read(channel.channel_names if channel else None, known)
    kind = options.type or (config.get("type") if not legacy else None)
    if kind is None:
        segments = legacy or options.probabilities in ("softmax", "background") or bounded or (as_before and bool(known))
        kind = SEGMENTATION if segments else REGRESSION
    how: Any = options.probabilities
    if how is None:
        how = "as_is" if kind in WITHOUT_CLASSES or as_before or _ends_in_softmax(output) else None
    if how is None and bounded and count == 1:
        how = "background"
    if how is None:
        raise ValueError(
            f"the {count} channels of {output.id!r} are not known to be probabilities that sum to 1: "
            "the option probabilities is softmax (of scores), background (1 minus the others, as a first class) or as_is (they do)"
            + ("" if legacy else "; or it is not a segmentation (type=Regression)")
        )
    if as_before and how == "as_is" and known and len(known) != count:
        note = f"The network has {count} channels and the file names {len(known)} classes, as the one did that the model was read from."
        return Classes(type=kind, names=known, notes=(note,))
    return Classes(type=kind, names=_names(output, count, options, config, kind, how), probabilities=how)


def _as_read(channels: Sequence[str] | None, known: tuple[str, ...]) -> bool:
    """Return whether the channels are those of the file that the model was read from, which may name more or fewer classes."""
    return channels is not None and (not known or len(channels) == len(known) or tuple(channels) == _unnamed(len(channels)))


def _unnamed(count: int) -> tuple[str, ...]:
    """Return names of classes of which nothing is known, as reading a file gives them."""
    return tuple(f"class{n}" for n in range(count))


def _names(
    output: TensorIO, count: int, options: Options, config: Mapping[str, Any], kind: str, how: Probabilities
) -> tuple[str, ...] | None:
    if options.classes is not None:
        wanted = count + (how == "background")
        if len(options.classes) != wanted:
            raise ValueError(f"there are {len(options.classes)} classes in the option: expected {wanted}")
        return options.classes
    channel = channel_of(output)
    own = (channel.channel_names if channel is not None else None) or _unnamed(count)
    known = _known_names(config)
    if kind in WITHOUT_CLASSES or (config.get("kind") == "czann" and not known and own == _unnamed(count)):
        return (own if len(known) == count else known) or None
    names = (BACKGROUND, *own) if how == "background" else own
    if len(names) < 2:
        raise ValueError(f"{output.id!r} has one class: expected at least two in a segmentation (probabilities=background adds one)")
    return tuple(names)


def _known_names(config: Mapping[str, Any]) -> tuple[str, ...]:
    classes = config.get("classes")
    if not isinstance(classes, Sequence) or isinstance(classes, str):
        return ()
    return tuple(str(one["name"]) if isinstance(one, Mapping) else str(one) for one in classes)


def _ends_in_softmax(output: TensorIO) -> bool:
    ops = [op for op in output.ops if op.name != "ensure_dtype"]
    return (
        bool(ops) and ops[-1].name == "softmax" and softmax_axis(ops[-1].kwargs, output.axis_ids) == getattr(channel_of(output), "id", None)
    )


def _bounded(descr: Any, output: TensorIO, number: int) -> bool:
    """Return whether values are from 0 to 1 by the description."""
    if output.dtype == "bool":
        return True
    ops = [op for op in output.ops if op.name != "ensure_dtype"]
    if ops and ops[-1].name in ("sigmoid", "softmax", "binarize"):
        return True
    if ops and ops[-1].name == "clip":
        low, high = ops[-1].kwargs.min, ops[-1].kwargs.max
        return low is not None and high is not None and low >= 0 and high <= 1
    described = descr.outputs[number]
    data = getattr(described, "data", None)
    found = getattr(described, "data_range", None) if data is None else getattr(data, "range", None)
    if not isinstance(found, Sequence) or len(found) != 2 or any(bound is None for bound in found):
        return False
    return float(found[0]) >= 0 and float(found[1]) <= 1
