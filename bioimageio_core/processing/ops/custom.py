"""The op ``custom``: Python code that comes with the model, which runs only if it is trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import ModelRunError
from ...registry.entries import Measured, OpContext
from ...registry.entries.needs import DTYPES
from ...sources.model_code import ModelCode, attached_files, no_trust
from ...structuring.freezing import thaw
from ...text import in_brief
from ...typing import AxisId

__all__ = ["CustomOp", "make_custom"]


@attrs.frozen(kw_only=True, eq=False)
class CustomOp:
    """A callable that the code of a model made, called with the whole sample; the code can import its files for as long as the op lives."""

    function: Callable[[NDArray[Any]], object]
    what: str
    """The callable and its file in words."""

    made_from: tuple[Any, tuple[AxisId, ...], OpContext]
    """What another process makes the same op from, since it cannot import modules of this one."""

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the tensor in the same shape and in any dtype; the code gets a copy, which it may change.

        Raises:
            ModelRunError: The code fails, or returns something else.

        """
        try:
            result = self.function(tensor.copy())
        except (Exception, SystemExit) as error:  # the code of a model may raise anything
            raise ModelRunError(f"{self.what} fails: {in_brief(error, named=True)}") from error
        if not isinstance(result, np.ndarray) or isinstance(result, np.ma.MaskedArray):  # a mask would be lost where pixels are written
            raise ModelRunError(f"{self.what} returns {type(result).__name__}: expected a numpy array of shape {tensor.shape}")
        if result.shape != tensor.shape:
            raise ModelRunError(f"{self.what} returns shape {result.shape}: expected that of its input, {tensor.shape}")
        if result.dtype.name not in DTYPES:
            raise ModelRunError(f"{self.what} returns {result.dtype.name}: expected one of {', '.join(DTYPES)}")
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        return make_custom, self.made_from


def make_custom(kwargs: Any, axes: tuple[AxisId, ...], context: OpContext) -> CustomOp:
    """Make ``custom``.

    Raises:
        TrustError: The model is not trusted.
        HashMismatchError: The SHA-256 of the file is not the described one.
        ModelRunError: The code fails, or makes nothing that can be called.

    """
    step = context.step
    source, name = str(step.source), str(step.callable)
    if not context.trust:
        raise no_trust(f"the custom op {name} of {source}, which comes with the model,")
    with ModelCode({**attached_files(context.files), source: context.files["source"]}, source) as code:
        function = code.call(name, thaw(kwargs), what="custom op")
        what = f"the custom op {name} of {code.file_name}"
        if not callable(function):
            raise ModelRunError(f"{what} returns {type(function).__name__}: expected a callable, which is then called with an array")
        op = CustomOp(function=function, what=what, made_from=(kwargs, axes, context))
        code.live_with(op)
    return op
