"""An op whose results are checked against what its plugin declared."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import PluginError
from ...registry import Beyond, LabellingOp, Measured, Needs, ProcessingOp, blamed
from ...typing import AxisId

__all__ = ["CheckedOp"]


@attrs.frozen(kw_only=True, eq=False)
class CheckedOp:
    """A processing op with its arguments bound; errors name it and its distribution."""

    op: ProcessingOp
    needs: Needs
    what: str
    """The op and its distribution in words."""

    axes: tuple[AxisId, ...]
    """Axes of the tensors."""

    def __call__(self, tensor: NDArray[Any], measured: Measured, beyond: Beyond | None = None) -> NDArray[Any]:
        """Return the processed tensor.

        Args:
            tensor: The tensor, or a region of it.
            measured: Statistics of the tensor.
            beyond: Pixels before and after a region by axis, for ops that label objects; None for a complete tensor.

        Raises:
            PluginError: The op fails, or returns something else than an array of the shape and the dtype that it declared.

        """
        change = self.needs.shape
        expected = tensor.shape if change is None else change.shape(dict(zip(self.axes, tensor.shape, strict=True)))
        with blamed(self.what):
            result: object
            if beyond is not None and isinstance(self.op, LabellingOp):
                result = self.op.label(tensor, measured, beyond)
            else:
                result = self.op(tensor, measured)
        if not isinstance(result, np.ndarray) or isinstance(result, np.ma.MaskedArray):  # a mask would be lost where pixels are written
            raise PluginError(f"{self.what} returns {type(result).__name__}: expected a numpy array of shape {expected}")
        if result.shape != expected:
            declared = (
                "the declared one (Needs.shape)"
                if self.needs.shape is not None
                else "that of its input, unless it declares another (Needs.shape)"
            )
            raise PluginError(f"{self.what} returns shape {result.shape} from {tensor.shape}: expected {expected}, {declared}")
        allowed = self.needs.dtypes_from(tensor.dtype.name)
        if result.dtype.name not in allowed:
            raise PluginError(
                f"{self.what} returns {result.dtype.name} from {tensor.dtype.name}: expected {' or '.join(allowed)}; "
                "another dtype has to be declared (Needs.dtype)"
            )
        return result
