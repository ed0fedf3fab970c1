"""The one normalised form of a model's inputs and outputs, built from a description of any format version."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal, TypeAlias

import attrs

from ...blocks import PadMode, Size
from ...packaging.argument_files import ArgumentFiles
from ...typing import AxisId, FrozenMapping, ModelFormat

__all__ = ["AxisIO", "AxisKind", "DataDependentSize", "FileRef", "ModelIO", "OpCall", "ReferencedSize", "TensorIO", "as_fraction"]

AxisKind: TypeAlias = Literal["batch", "channel", "index", "time", "space"]


@attrs.frozen(kw_only=True)
class ReferencedSize:
    """``floor(size of the referenced axis * ratio) + offset``."""

    tensor: str
    axis: AxisId
    ratio: Fraction = Fraction(1)
    offset: int = 0


@attrs.frozen(kw_only=True)
class DataDependentSize:
    """A size that is known only after the network ran."""

    min: int = 1
    max: int | None = None


@attrs.frozen(kw_only=True)
class AxisIO:
    """An axis of a tensor."""

    id: AxisId
    kind: AxisKind
    size: Size | ReferencedSize | DataDependentSize
    halo: int = 0
    scale: float = 1.0
    """Size of a pixel in `unit`."""

    unit: str | None = None
    concatenable: bool = False
    one_at_a_time: bool = False
    """Whether this is a batch axis for which the description promises a single item; larger batches need an explicit `batch_size`."""

    channel_names: tuple[str, ...] | None = None
    stride: int | None = None
    """Distance between positions at the same phase of the network, if the size does not tell it."""


@attrs.frozen(kw_only=True)
class OpCall:
    """A processing op with its arguments, as described."""

    name: str
    kwargs: Any
    """The kwargs node of the description, or None."""

    files: ArgumentFiles | None = attrs.field(default=None, eq=False, repr=False)
    """Local paths of the files that the arguments name; None where they cannot name any."""


@attrs.frozen(kw_only=True)
class FileRef:
    """A file of the package."""

    source: str
    sha256: str | None = None


@attrs.frozen(kw_only=True)
class TensorIO:
    """An input or output."""

    id: str
    axes: tuple[AxisIO, ...]
    dtype: str
    """Name of the described dtype: of an input as the network gets it, of an output as the user gets it."""

    ops: tuple[OpCall, ...] = ()
    """Pre- or postprocessing in the written order, including the casts that the format implies."""

    pad_mode: PadMode = "symmetric"
    pad_value: float = 0.0
    optional: bool = False
    output_of: str | None = None
    """Id of the model whose output of the same id the input takes."""

    test_tensor: FileRef | None = None

    @property
    def axis_ids(self) -> tuple[AxisId, ...]:
        """Ids of the axes, in order."""
        return tuple(a.id for a in self.axes)

    def axis(self, axis_id: AxisId) -> AxisIO | None:
        """Return the axis of this id, or None."""
        return next((a for a in self.axes if a.id == axis_id), None)


@attrs.frozen(kw_only=True)
class ModelIO:
    """Inputs and outputs of a model."""

    name: str
    format: ModelFormat
    inputs: tuple[TensorIO, ...]
    outputs: tuple[TensorIO, ...]
    run_mode: str | None = None
    run_mode_kwargs: FrozenMapping[str, Any] = FrozenMapping()

    def tensor(self, tensor_id: str) -> TensorIO:
        """Return the tensor of this id.

        Raises:
            KeyError: The model has no tensor of this id.

        """
        for tensor in (*self.inputs, *self.outputs):
            if tensor.id == tensor_id:
                return tensor
        raise KeyError(tensor_id)


LARGEST_DENOMINATOR = 64


def as_fraction(numerator: float, denominator: float = 1) -> Fraction:
    """Return the ratio of two scales as a small fraction.

    Scales are written as rounded decimals (0.3333 for a third), and no network has ratios with large denominators.
    """
    return (Fraction(str(numerator)) / Fraction(str(denominator))).limit_denominator(LARGEST_DENOMINATOR)
