"""The op ``imagej_macro``: what it needs, and what it does."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.errors import InputError
from bioimageio_core.registry import Measure, Measured, Needs, ProcessingOp
from bioimageio_core.typing import AxisId

from .imagej import LocalImagej, may_run
from .macro_functions import function_for
from .macro_images import Arithmetic, Masked, PixelImage
from .macro_meaning import Meaning, understand
from .macro_run import run_macro
from .macro_syntax import parse_macro
from .macro_tree import MacroError
from .macro_values import Combined, HistogramValue, Statistic, Value, symbols_in

__all__ = ["MacroSteps", "WholeMacro", "macro_needs", "make_macro_op", "refusal"]

TIE = 1e-9
"""Added to a percentage where more than it has to be reached: less than the share of one pixel."""

PLANE = ("y", "x")


def macro_needs(kwargs: Any, axes: tuple[AxisId, ...]) -> Needs:
    """Return the statistics that a macro needs, or that it needs the complete image.

    Raises:
        InputError: The macro does what nothing here can do.

    """
    steps = _steps(kwargs)
    if steps is None:
        return Needs(whole_sample=True, dtype="float32")
    return Needs(measures=_measures(steps, axes), dtype="float32")


def make_macro_op(kwargs: Any, axes: tuple[AxisId, ...]) -> ProcessingOp:
    """Make the op.

    Raises:
        InputError: The macro does what nothing here can do.

    """
    steps = _steps(kwargs)
    if steps is None:
        return WholeMacro(macro=kwargs.macro, name=kwargs.name, axes=axes)
    return MacroSteps(steps=steps, over=_over(axes))


def refusal(macro: str, name: str, because: Exception | str) -> InputError:
    """Return the error for a macro that cannot be run, with its text and what can be done."""
    shown = macro if len(macro) <= 2000 else f"{macro[:2000]}\n[...]"
    return InputError(
        f"macro {name!r} cannot be carried out: {because}; name a Python function that does the same "
        f"(BMZ_MACRO_FUNCTIONS={name}=MODULE:FUNCTION), bring a plugin with an op for it (bmz plugins new), "
        f"or let ImageJ run it (BMZ_IMAGEJ=PATH/ij.jar BMZ_IMAGEJ_TRUST=all). The macro:\n{shown}"
    )


@attrs.frozen(kw_only=True)
class MacroSteps:
    """Steps of a macro whose numbers are known, or are statistics that are measured before."""

    steps: tuple[Arithmetic | Masked, ...]
    over: tuple[AxisId, ...]

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the changed tensor, in float32 after each step, as in ImageJ."""
        out = tensor.astype(np.float32)
        with np.errstate(all="ignore"):
            for step in self.steps:
                if isinstance(step, Masked):
                    inside = (out >= step.low) & (out <= step.high)
                    out = np.where(inside, np.float32(step.inside), np.float32(step.outside))
                else:
                    out = _changed(out, step.what, np.asarray(self._number(step.value, measured), np.float64))
        return out

    def _number(self, value: Value, measured: Measured) -> Any:
        if isinstance(value, Combined):
            left, right = self._number(value.left, measured), self._number(value.right, measured)
            return {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[value.operator](left, right)
        if isinstance(value, Statistic):
            return measured[_measure(value, self.over)]
        if isinstance(value, HistogramValue):
            low, high = (measured[_measure(Statistic(kind, 0), self.over)] for kind in ("min", "max"))
            width = (high - low) / value.bins
            reached = 0 if value.share == 0 and not value.more else self._last_bin(value, measured, low, high) + 1
            return low + (reached + value.offset) * width
        return value

    def _last_bin(self, value: HistogramValue, measured: Measured, low: Any, high: Any) -> Any:
        """Return the number of the bin in which the share of pixels is reached."""
        at = measured[_measure(value, self.over)]
        scale = np.divide(value.bins, high - low, out=np.zeros_like(low), where=high > low)
        return np.minimum(np.floor((at - low) * scale), value.bins - 1)


@attrs.frozen(kw_only=True)
class WholeMacro:
    """A macro that is carried out step by step on each sample: here, by a function of the user, or by ImageJ."""

    macro: str
    name: str
    axes: tuple[AxisId, ...]

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the changed tensor; each item along the batch axis is an image of its own."""
        wide = tensor.astype(np.float32)
        if "batch" not in self.axes:
            return self._image(wide, tuple(self.axes))
        at = self.axes.index("batch")
        rest = tuple(a for a in self.axes if a != "batch")
        return np.stack([self._image(np.take(wide, n, at), rest) for n in range(wide.shape[at])], at)

    def _image(self, image: NDArray[np.float32], axes: tuple[AxisId, ...]) -> NDArray[np.float32]:
        """Return one sample, changed; its planes lie along y and x."""
        order = [n for n, a in enumerate(axes) if a not in PLANE] + [axes.index(a) for a in PLANE if a in axes]
        turned = np.ascontiguousarray(image.transpose(order))
        found = np.asarray(self._run(turned.reshape(-1, *turned.shape[-2:])), np.float32)
        if found.size != turned.size:
            raise InputError(f"macro {self.name!r} changes the size of the image: expected {turned.size} pixels, found {found.size}")
        return np.ascontiguousarray(found.reshape(turned.shape).transpose(np.argsort(order)))

    def _run(self, planes: NDArray[np.float32]) -> NDArray[Any]:
        own = function_for(self.name)
        if own is not None:
            found: NDArray[Any] = own(planes[0] if len(planes) == 1 else planes)
            return found
        try:
            pixels = PixelImage(planes)
            run_macro(parse_macro(self.macro), pixels)
        except MacroError as error:
            if not may_run(self.macro):
                raise refusal(self.macro, self.name, error) from None
            return LocalImagej.configured().run(self.macro, self.name, planes)
        return pixels.pixels


def _steps(kwargs: Any) -> tuple[Arithmetic | Masked, ...] | None:
    """Return the steps of a macro that can run block by block; None where the complete image is needed.

    Raises:
        InputError: The macro does what nothing here can do.

    """
    if function_for(kwargs.name) is not None:
        return None
    try:
        meaning = understand(kwargs.macro)
    except MacroError as error:
        if may_run(kwargs.macro):
            return None
        raise refusal(kwargs.macro, kwargs.name, error) from None
    return meaning.steps if meaning is not None and _measured_before(meaning) else None


def _measured_before(meaning: Meaning) -> bool:
    """Return whether all statistics are of the image as it is given, and of a kind that is measured block by block."""
    values = [s for step in meaning.steps if isinstance(step, Arithmetic) for s in symbols_in(step.value)]
    return all(v.step == 0 and not (isinstance(v, Statistic) and v.kind == "std") for v in values)


def _over(axes: tuple[AxisId, ...]) -> tuple[AxisId, ...]:
    return tuple(a for a in axes if a != "batch")


def _measure(value: Statistic | HistogramValue, over: tuple[AxisId, ...]) -> Measure:
    if isinstance(value, HistogramValue):
        q = min(100.0, 100 * value.share + (TIE if value.more else 0))
        return Measure(kind="percentile", axes=over, q=q, method="inverted_cdf")
    if value.kind == "mean":
        return Measure(kind="mean", axes=over)
    return Measure(kind="percentile", axes=over, q=0.0 if value.kind == "min" else 100.0, method="inverted_cdf")


def _measures(steps: tuple[Arithmetic | Masked, ...], axes: tuple[AxisId, ...]) -> tuple[Measure, ...]:
    found: list[Measure] = []
    for step in steps:
        for symbol in symbols_in(step.value) if isinstance(step, Arithmetic) else ():
            found.append(_measure(symbol, _over(axes)))
            if isinstance(symbol, HistogramValue):
                found += [_measure(Statistic(kind, 0), _over(axes)) for kind in ("min", "max")]
    return tuple(dict.fromkeys(found))


def _changed(image: NDArray[np.float32], what: str, value: NDArray[np.float64]) -> NDArray[np.float32]:
    functions: dict[str, Any] = {
        "add": np.add,
        "subtract": np.subtract,
        "multiply": np.multiply,
        "divide": np.divide,
        "min": np.maximum,
        "max": np.minimum,
    }
    changed: NDArray[np.float64] = functions[what](image, value, dtype=np.float64)
    return changed.astype(np.float32)
