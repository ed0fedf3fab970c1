"""Entries of the hook ``bioimageio_processing_ops``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, get_args, get_origin, runtime_checkable

import attrs

from ...structuring.class_fields import fields_of
from ...typing import AxisId, ModelFormat
from .base import DescriptionEntry, called_with, is_a, is_description, some_of
from .needs import Measure, Needs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Beyond", "LabellingOp", "Measured", "OpContext", "ProcessingOp", "ProcessingOpEntry", "ProcessingOpFactory", "op_key"]


Measured: TypeAlias = "Mapping[Measure, NDArray[Any]]"
"""Measures and their values: float64 arrays that broadcast against the op's tensor (reduced axes have size 1).

A histogram has one more axis, the last: its bins.
"""


@runtime_checkable
class ProcessingOp(Protocol):
    """An op with its arguments bound; called on blocks, from several threads at once."""

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the processed tensor; ``tensor`` is not changed.

        Args:
            tensor: The sample or a block of it; its axes are those that the op was made for.
            measured: A value for each of the op's `Needs.measures`.
        """
        ...


Beyond: TypeAlias = "Mapping[AxisId, tuple[int, int]]"
"""Pixels of the tensor before and after a window, along each axis; 0 where the window reaches the edge of the tensor."""


@runtime_checkable
class LabellingOp(ProcessingOp, Protocol):
    """An op that labels objects (`Needs.objects`), and whose result depends on where in the tensor a window lies.

    Other ops that label objects are called with each window as if it were all there is.
    """

    def label(self, tensor: NDArray[Any], measured: Measured, beyond: Beyond) -> NDArray[Any]:
        """Return the labels of a window.

        Args:
            tensor: The window: a block and the pixels around it, as far as the tensor has them.
            measured: A value for each of the op's `Needs.measures`.
            beyond: Pixels of the tensor before and after the window.
        """
        ...


@attrs.frozen(kw_only=True)
class OpContext:
    """What an op is made from besides its arguments, if it is code of the model or its arguments name files of the model."""

    step: Any
    """The step as described: a node of the entry's class; None where the op is made alone, as by the conformance kit."""

    files: Mapping[str, str]
    """Local paths of files, each of which is fetched and verified when it is asked for.

    Of arguments, by the path of the file in them, such as ``flat_field`` or ``tables.0``. Of an op that is code of the model
    (`ProcessingOpEntry.runs_model_code`): the file of the step (``source``), files in further fields, and the attachments of the model,
    by place in the package (``attachments/code/layers.py``).
    """

    trust: bool = False
    """Whether code that comes with the model may run."""


ProcessingOpFactory: TypeAlias = "Callable[..., ProcessingOp]"
"""``(kwargs node or None, axes of the tensor) -> ProcessingOp``.

An `OpContext` is the third argument where the entry says that the op is code of the model, and where the class of the arguments has
a field for a file of the model (`bioimageio_core.spec.files.FileDescr`).
"""


def op_key(version: str) -> str:
    """Return the key that names the op of a processing step in a format version."""
    return "name" if version == "0.4" else "id"


@attrs.frozen(kw_only=True)
class ProcessingOpEntry(DescriptionEntry):
    """A pre- or postprocessing op, known by ``name`` (``id`` in format 0.5)."""

    descr: Mapping[ModelFormat, type] = attrs.field(validator=is_description)
    """For each format that has the op: its description class, with a field ``kwargs`` where the op takes any."""

    load: Callable[[], ProcessingOpFactory] = attrs.field(validator=called_with())
    """Imports the implementation and returns the function that makes the op."""

    requirements: Callable[[Any, tuple[AxisId, ...]], Needs] = attrs.field(validator=called_with("kwargs", "axes"))
    """``(kwargs node or None, axes of the tensor) -> Needs``; light, called while planning."""

    where: tuple[Literal["preprocessing", "postprocessing"], ...] = attrs.field(
        default=("preprocessing", "postprocessing"), validator=some_of("preprocessing", "postprocessing")
    )
    """The lists of steps that may hold it."""

    runs_model_code: bool = attrs.field(default=False, validator=is_a(bool, "true or false"))
    """True: the op is code of the model, which may run only if it is trusted; its factory takes an `OpContext` as third argument."""

    described_only: bool = attrs.field(default=False, validator=is_a(bool, "true or false"))
    """True: the op is part of the format but the library has no implementation; the entry of a plugin that has one replaces it."""

    reference_implementation: str = attrs.field(default="", validator=is_a(str, "a string"))
    """``module:function`` of an independent implementation, called as ``function(tensor, kwargs, axes)``, for the conformance kit."""

    def make(self, kwargs: Any, axes: tuple[AxisId, ...], context: OpContext | None) -> ProcessingOp:
        """Import the implementation and bind the arguments.

        Args:
            kwargs: The arguments.
            axes: Axes of the tensor.
            context: What else the op is made from; None where it takes nothing else.

        """
        factory = self.load()
        return factory(kwargs, axes) if context is None else factory(kwargs, axes, context)

    def classes(self) -> Iterator[tuple[str, type]]:
        """Yield the description class of each format version."""
        yield from ((f"descr[{version!r}]", cls) for version, cls in self.descr.items())

    def check_names(self) -> None:
        """Check that each class has the field that names the op in its format, with the name of the entry.

        Raises:
            ValueError: A class has another name, or none.

        """
        for version, cls in self.descr.items():
            key = op_key(version)
            found = next((field for field in fields_of(cls) if field.key == key), None)
            if found is None:
                raise ValueError(f"{cls.__qualname__} has no field {key}: expected {key}: Literal[{self.name!r}] = {self.name!r}")
            names = get_args(found.type) if get_origin(found.type) is Literal else (found.default,)
            if attrs.NOTHING not in names and self.name not in names:
                raise ValueError(
                    f"{key} of {cls.__qualname__} is {' or '.join(map(repr, names))}: expected the name of the entry, {self.name!r}"
                )
