"""What numpy asks of an array that calculates itself: universal functions, and a few others that keep the names of axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..errors import AxesError, InputError
from ..typing import AxisId
from .arithmetic import aligned, check_sizes, check_unnamed, common_axes, common_labels, is_operand
from .axis_metadata import axis_numbers
from .joining import joined_labels

__all__ = ["NumpyProtocol", "chosen", "clipped"]


class NumpyProtocol(NDArrayOperatorsMixin):
    """Base class of an array with named axes: its operators, and its part in functions of numpy."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: tuple[Any, ...] = (), **kwargs: Any) -> Any:
        wrong = [x for x in inputs if not isinstance(x, NumpyProtocol) and not is_operand(x)]
        if wrong and _calculates(wrong[0]):
            return NotImplemented
        if wrong:
            raise TypeError(_unsupported(ufunc.__name__, inputs, wrong[0]))
        if method != "__call__" or ufunc.signature is not None or "where" in kwargs:
            plain = {name: _plain(value) for name, value in kwargs.items()} | ({"out": _plain(out)} if out else {})
            return getattr(ufunc, method)(*map(_plain, inputs), **plain)
        return _elementwise(ufunc, inputs, out, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        own = FUNCTIONS.get(func)
        others = [t for t in types if not issubclass(t, NumpyProtocol | np.ndarray) and t.__module__.partition(".")[0] != "dask"]
        found = NotImplemented if own is None or others else own(*args, **kwargs)
        if found is not NotImplemented:
            return found
        if any(not issubclass(t, NumpyProtocol | np.ndarray) for t in types):
            return func(*(_plain(one, lazy=True) for one in args), **{name: _plain(one, lazy=True) for name, one in kwargs.items()})
        # The function as numpy has it, which takes the array by `__array__` or calls its methods.
        return np.empty(0).__array_function__(func, (), tuple(args), dict(kwargs))


def chosen(condition: Any, one: Any, other: Any) -> Any:
    """Return one array where a condition is true, and another one elsewhere, as `numpy.where`."""
    return _elementwise(_where, (condition, one, other), (), {})


def clipped(array: Any, least: Any, greatest: Any) -> Any:
    """Return an array with values below the least and above the greatest replaced by these; None is no limit."""
    found = array if least is None else np.maximum(array, least)
    found = found if greatest is None else np.minimum(found, greatest)
    return array.copy() if found is array else found


def _elementwise(function: Callable[..., Any], inputs: Sequence[Any], out: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Calculate pixel by pixel with axes matched by name.

    Raises:
        TypeError: An operand is no number and no array.
        AxesError: Sizes, pixels or numbers of axes differ.
        ChannelError: Channels differ.

    """
    labelled: list[Any] = [x for x in inputs if isinstance(x, NumpyProtocol)] or [x for x in out if isinstance(x, NumpyProtocol)]
    axes = common_axes([x.axes for x in labelled])
    check_sizes([x.sizes for x in labelled])
    for x in inputs:
        if not isinstance(x, NumpyProtocol):
            if not is_operand(x):
                raise TypeError(_unsupported(function.__name__.strip("_"), inputs, x))
            check_unnamed(x, axes)
    operands = [aligned(x.data, x.axes, axes) if isinstance(x, NumpyProtocol) else x for x in inputs]  # type: ignore[attr-defined]
    known = [x.axis_metadata for x in labelled]
    if out:
        common_labels(known, axes, [0] * len(axes))
        return _written(function, operands, out, axes, options)
    results = function(*operands, **options)
    several = results if isinstance(results, tuple) else (results,)
    wrapped = tuple(labelled[0]._with(one, common_labels(known, axes, one.shape), name=_common_name(labelled)) for one in several)
    return wrapped if isinstance(results, tuple) else wrapped[0]


def _where(condition: Any, one: Any, other: Any) -> Any:
    return _module([condition, one, other]).where(condition, one, other)


def _module(arrays: Sequence[Any]) -> Any:
    if not any(hasattr(one, "dask") for one in arrays):
        return np
    import dask.array as da

    return da


def _common_name(labelled: Sequence[Any]) -> str:
    names = {x.name for x in labelled}
    return str(names.pop()) if len(names) == 1 else ""


def _calculates(value: Any) -> bool:
    """Return whether a value calculates with arrays itself; xarray does, but matches axes of these by their order."""
    return hasattr(value, "__array_ufunc__") and not hasattr(value, "dims") and not isinstance(value, np.ndarray | np.generic)


def _unsupported(name: str, inputs: Sequence[Any], wrong: Any) -> str:
    kinds = " and ".join(repr(type(x).__name__) for x in inputs)
    remedy = "; array.to_xarray() calculates with it, by names of axes" if hasattr(wrong, "dims") else ""
    return f"unsupported operand type(s) for {name}: {kinds}{remedy}"


def _plain(value: Any, *, lazy: bool = False) -> Any:
    if isinstance(value, list | tuple):
        return type(value)([_plain(one, lazy=lazy) for one in value])
    if not isinstance(value, NumpyProtocol):
        return value
    array: Any = value
    return array.to_dask() if lazy and not array.in_memory else np.asarray(array)


def _written(function: Callable[..., Any], operands: Sequence[Any], out: Sequence[Any], axes: tuple[AxisId, ...], options: Any) -> Any:
    """Calculate into arrays in memory, as ``x += 1`` does.

    Raises:
        InputError: The array is in storage.
        AxesError: The result has further axes.

    """
    written: list[Any] = [x for x in out if isinstance(x, NumpyProtocol)]
    for one in written:
        if not one.in_memory:
            raise InputError("an array in storage is not changed in place: expected x = x + 1, which is lazy, in place of x += 1")
        if one.axes != axes:
            raise AxesError(f"the result has the axes {', '.join(axes)}, the array to change {', '.join(one.axes)}: expected the same")
    function(*map(np.asarray, operands), out=tuple(_plain(x) for x in out), **options)
    return out[0] if len(out) == 1 else tuple(out)


def _np_where(condition: Any, *choices: Any) -> Any:
    return chosen(condition, *choices) if len(choices) == 2 else NotImplemented


def _np_clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **options: Any) -> Any:
    least, greatest = options.pop("min", a_min), options.pop("max", a_max)
    return NotImplemented if options or out is not None or not isinstance(a, NumpyProtocol) else clipped(a, least, greatest)


def _in_order(arrays: Sequence[Any]) -> tuple[list[Any], list[Any], tuple[AxisId, ...]]:
    """Return the labelled ones of arrays, the data of all with the axes in the order of the first one, and these axes."""
    labelled: list[Any] = [x for x in arrays if isinstance(x, NumpyProtocol)]
    axes: tuple[AxisId, ...] = labelled[0].axes
    for one in labelled:
        if set(one.axes) != set(axes):
            raise AxesError(f"arrays with the axes {', '.join(axes)} and {', '.join(one.axes)}: expected the same axes, in any order")
    return labelled, [aligned(x.data, x.axes, axes) if isinstance(x, NumpyProtocol) else x for x in arrays], axes  # type: ignore[attr-defined]


def _np_concatenate(arrays: Any, axis: Any = 0, **options: Any) -> Any:
    given = list(arrays)
    if options or axis is None or not any(isinstance(x, NumpyProtocol) for x in given):
        return NotImplemented
    labelled, data, axes = _in_order(given)
    (number,) = axis_numbers(axis, axes)
    known = joined_labels([x.axis_metadata if isinstance(x, NumpyProtocol) else None for x in given], axes, axes[number])  # type: ignore[attr-defined]
    return labelled[0]._with(_module(data).concatenate(data, axis=number), known, name=_common_name(labelled))


def _np_stack(arrays: Any, axis: Any = 0, **options: Any) -> Any:
    given = list(arrays)
    if options or not any(isinstance(x, NumpyProtocol) for x in given):
        return NotImplemented
    _, data, _ = _in_order(given)
    return _module(data).stack(data, axis=axis)


FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    np.where: _np_where,
    np.clip: _np_clip,
    np.concatenate: _np_concatenate,
    np.stack: _np_stack,
}
"""Functions of numpy that keep names, or leave lazy data lazy; each returns NotImplemented for arguments that it does not know."""
