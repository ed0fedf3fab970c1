"""What processing ops need from a plan; imports no numpy, since plans are made from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs

from ...typing import AxisId, FrozenMapping
from .axes import are_axes, is_choice
from .base import called_with, is_a, is_name
from .results import Objects, ShapeChange

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Measure", "Needs", "Statistic"]

MeasureKind = Literal["mean", "std", "min", "max", "median", "percentile", "count", "histogram", "own"]
Method = Literal["linear", "inverted_cdf"]

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64")
"""Names of the dtypes that tensors may have."""

ANY_DTYPE = "any"
"""The dtype of a result that is known only when there is one."""

MOST_BINS = 2**16
"""Bins of a histogram."""

QUANTILES: Mapping[str, float] = FrozenMapping(min=0.0, median=50.0, max=100.0)
"""Percentiles that have names of their own."""


def is_tensor_id(_instance: Any, attribute: Any, value: Any) -> None:
    """Accept the id of a tensor, or None."""
    if value is not None and not (isinstance(value, str) and value):
        raise TypeError(f"{attribute.name}: expected the id of an input of the model or None, found {value!r}")


@attrs.frozen(kw_only=True)
class Statistic:
    """A statistic of a plugin's own, for `Measure` of kind ``own``: a state of k numbers, which can be merged.

    A tensor is measured in parts, in any process, and the states of its parts are merged in the order of the parts.
    The functions are defined at the top of a module, since they are sent to other processes by name.
    Each is called for g groups (positions along the axes that are not reduced) at once, and returns a new array.
    """

    name: str = attrs.field(validator=is_name)
    """Name in reports, plans and supplied statistics."""

    state: Callable[[NDArray[Any]], NDArray[Any]] = attrs.field(validator=called_with("values"))
    """``(values) -> state``: of float64 values of shape (g, r), in which NaN stands for a missing one, to float64 of shape (g, k)."""

    merge: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]] = attrs.field(validator=called_with("earlier", "later"))
    """``(earlier, later) -> state``: the state of the values of both, each of shape (g, k)."""

    finish: Callable[[NDArray[Any]], NDArray[Any]] = attrs.field(validator=called_with("state"))
    """``(state) -> result``: from shape (g, k) to a number for each group, shape (g,)."""

    empty: tuple[float, ...] = attrs.field()
    """The k numbers of the state of no values; merging them changes nothing."""

    @empty.validator
    def _check_empty(self, attribute: Any, value: Any) -> None:
        if not isinstance(value, tuple) or not value or not all(type(number) in (int, float) for number in value):
            raise TypeError(f"{attribute.name}: expected a tuple of one or more numbers, found {value!r}")


@attrs.frozen(kw_only=True)
class Measure:
    """A statistic of a tensor that an op needs before it runs.

    It is measured on the whole sample, never on a block, in float64, and without padding or NaN.
    Its value is one number for each position along the other axes; of a histogram, one number for each bin, along one more axis at the end.

    Raises:
        TypeError: A field is of the wrong type.
        ValueError: A field has a value that it cannot have, or that the kind has no use for.

    """

    kind: MeasureKind = attrs.field(validator=is_choice(*get_args(MeasureKind)))
    """``std`` is the population's, unless ``ddof`` is 1; ``count`` is the number of values that are not NaN;
    ``histogram`` is the number of values in each of some bins of equal width; ``own`` is a `Statistic`."""

    axes: tuple[AxisId, ...] = attrs.field(validator=are_axes)
    """Axes to reduce. With ``batch`` among them it is a statistic of the dataset, which users may supply."""

    tensor: str | None = attrs.field(default=None, validator=is_tensor_id)
    """None: the input of the op, after the ops before it. Otherwise the id of a model input, before any op."""

    q: float | None = None
    """For ``percentile``: 0 to 100."""

    method: Method = attrs.field(default="linear", validator=is_choice(*get_args(Method)))
    """For ``percentile`` and ``median``: the method in the words of `numpy.percentile`."""

    ddof: int = 0
    """For ``std``: 0 divides by the number of values n, 1 by n - 1 (NaN for a single value)."""

    bins: int | None = None
    """For ``histogram``: the number of bins, 1 to 65,536."""

    range: tuple[float, float] | None = None
    """For ``histogram``: lower edge of the first bin and upper edge of the last, as `numpy.histogram` has them.

    The edges are ``numpy.linspace(*range, bins + 1)``. A bin has its lower edge, the last one both; values outside are in no bin."""

    statistic: Statistic | None = None
    """For ``own``: what is measured."""

    def __attrs_post_init__(self) -> None:
        if self.kind == "percentile":
            if isinstance(self.q, bool) or not isinstance(self.q, int | float):
                raise TypeError(f"q: expected a number from 0 to 100 for a percentile, found {self.q!r}")
            if not 0 <= self.q <= 100:
                raise ValueError(f"q: expected a number from 0 to 100, found {self.q!r}")
        elif self.q is not None:
            raise ValueError(f"q: expected None for the kind {self.kind!r}, found {self.q!r}: only percentiles have it")
        if self.method != "linear" and self.kind not in ("percentile", "median"):
            raise ValueError(f"method: expected 'linear' for the kind {self.kind!r}, found {self.method!r}: only percentiles have others")
        if type(self.ddof) is not int or self.ddof not in ((0, 1) if self.kind == "std" else (0,)):
            raise ValueError(f"ddof: expected {'0 or 1' if self.kind == 'std' else '0'} for the kind {self.kind!r}, found {self.ddof!r}")
        self._check_bins()
        own = self.kind == "own"
        if not isinstance(self.statistic, Statistic if own else type(None)):
            expected = "a Statistic" if own else "None"
            raise TypeError(f"statistic: expected {expected} for the kind {self.kind!r}, found {self.statistic!r}")

    def _check_bins(self) -> None:
        if self.kind != "histogram":
            for name in ("bins", "range"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"{name}: expected None for the kind {self.kind!r}, found {getattr(self, name)!r}: only histograms have it"
                    )
            return
        if type(self.bins) is not int:
            raise TypeError(f"bins: expected a whole number for a histogram, found {self.bins!r}")
        if not 1 <= self.bins <= MOST_BINS:
            raise ValueError(f"bins: expected a whole number from 1 to {MOST_BINS}, found {self.bins!r}")
        given = self.range
        if not isinstance(given, tuple) or len(given) != 2 or any(type(edge) not in (int, float) for edge in given):
            raise TypeError(f"range: expected a tuple of two numbers for a histogram, found {given!r}")
        if not (math.isfinite(given[0]) and math.isfinite(given[1] - given[0]) and given[0] < given[1]):
            raise ValueError(f"range: expected two finite numbers, the lower one first, found {given!r}")
        if (given[1] - given[0]) / self.bins < 2 * math.ulp(max(map(abs, given))):
            raise ValueError(f"range: expected one that float64 can cut into {self.bins} bins, found {given!r}")

    @property
    def value_shape(self) -> tuple[int, ...]:
        """Shape of the value at each position along the axes that are not reduced: of a histogram the bins, else that of a number."""
        return () if self.bins is None else (self.bins,)

    @property
    def quantile(self) -> float | None:
        """The percentile that it is, 0 to 100; None if it is none."""
        return self.q if self.kind == "percentile" else QUANTILES.get(self.kind)

    @property
    def is_searched(self) -> bool:
        """Whether it takes a search among all values, unlike moments and extremes."""
        return self.quantile not in (None, 0, 100)


def _frozen(given: Any) -> Any:
    return FrozenMapping(given) if isinstance(given, Mapping) else given


@attrs.frozen(kw_only=True)
class Needs:
    """What an op needs from the planner. The default is an elementwise op: any block can be processed on its own.

    Raises:
        TypeError: A field is of the wrong type.
        ValueError: A field has a value that it cannot have.

    """

    measures: tuple[Measure, ...] = attrs.field(default=())
    """Statistics to have before the op runs."""

    whole_axes: tuple[AxisId, ...] = attrs.field(default=(), validator=are_axes)
    """Axes that must not be cut, because the op reduces over them or its arguments vary along them."""

    whole_sample: bool = attrs.field(default=False, validator=is_a(bool, "true or false"))
    """True: the op sees the whole sample at once, after all blocks are done."""

    halo: Mapping[AxisId, int] = attrs.field(default=FrozenMapping(), converter=_frozen)
    """Pixels that the op needs on either side, for filters; the output has the size of the input."""

    dtype: str | None = attrs.field(default=None, validator=attrs.validators.optional(is_choice(*DTYPES, ANY_DTYPE)))
    """Name of the resulting dtype, where the op changes it; ``any`` if that is known only when there is a result."""

    least: Mapping[AxisId, int] = attrs.field(default=FrozenMapping(), converter=_frozen)
    """Sizes that the tensor must have at least, by axis, where the arguments tell, as in ``{"channel": 3}`` for an op that reads channel 2.
    Plans for smaller tensors are refused."""

    shape: ShapeChange | None = attrs.field(default=None)
    """How the shape of the result differs from that of the tensor; None if it does not."""

    objects: Objects | None = attrs.field(default=None)
    """That the result labels objects; None if it does not. Such an op sees one item of the batch, and axes other than space completely."""

    @measures.validator
    def _check_measures(self, attribute: Any, value: Any) -> None:
        if not isinstance(value, tuple) or not all(isinstance(measure, Measure) for measure in value):
            raise TypeError(f"{attribute.name}: expected a tuple of Measure, found {value!r}")

    @halo.validator
    @least.validator
    def _check_sizes(self, attribute: Any, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise TypeError(f"{attribute.name}: expected a mapping from axes to numbers of pixels, found {value!r}")
        for axis, size in value.items():
            if not isinstance(axis, str) or type(size) is not int or size < 0:
                raise ValueError(
                    f"{attribute.name}: expected a whole number of pixels of at least 0 for each axis, found {axis!r}: {size!r}"
                )

    @shape.validator
    @objects.validator
    def _check_result(self, attribute: Any, value: Any) -> None:
        expected = {"shape": ShapeChange, "objects": Objects}[attribute.name]
        if value is not None and not isinstance(value, expected):
            raise TypeError(f"{attribute.name}: expected {expected.__name__} or None, found {value!r}")

    def __attrs_post_init__(self) -> None:
        if self.objects is not None and self.whole_sample:
            raise ValueError("whole_sample: expected false for an op that labels objects, which are joined across blocks")
        if self.shape is not None and self.shape.scale and self.objects is None:
            raise ValueError("shape: expected a scale only of an op that labels objects (objects=)")

    def result_axes(self, axes: tuple[AxisId, ...]) -> tuple[AxisId, ...]:
        """Return the axes of a result, for those of the tensor."""
        return axes if self.shape is None else self.shape.axes

    def expected_dtype(self, given: str) -> str:
        """Return the dtype that plans expect of a result, for the dtype of the tensor."""
        return given if self.dtype in (None, ANY_DTYPE) else str(self.dtype)

    def dtypes_from(self, given: str) -> tuple[str, ...]:
        """Return the dtypes that a result may have, for the dtype of the tensor.

        Float64 may stay where float32 is declared, and integers may become float32 where nothing is.
        """
        if self.dtype == ANY_DTYPE:
            return DTYPES
        expected = self.dtype or given
        kept = expected == "float32" and given == "float64"
        widened = self.dtype is None and not given.startswith("float")
        return (expected, *(["float64"] if kept else ["float32"] if widened else []))

    def check_axes(self, axes: tuple[AxisId, ...]) -> None:
        """Check that the needs are about axes of a tensor; axes of measures of another tensor are not looked at.

        Raises:
            ValueError: An axis is none of the tensor's.

        """
        named = {
            "whole_axes": self.whole_axes,
            "halo": tuple(self.halo),
            "least": tuple(self.least),
            "measures": tuple(axis for m in self.measures if m.tensor is None for axis in m.axes),
        }
        for field, listed in named.items():
            unknown = [axis for axis in listed if axis not in axes]
            if unknown:
                raise ValueError(f"{field}: expected axes of the tensor ({', '.join(axes)}), found {unknown[0]!r}")
        if self.shape is not None:
            self.shape.check_axes(axes)
