"""An op whose results are checked against what its plugin declared."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import PluginError
from ...registry import Measured, Needs, ProcessingOp, blamed

__all__ = ["CheckedOp"]


@attrs.frozen(kw_only=True, eq=False)
class CheckedOp:
    """A processing op with its arguments bound; errors name it and its distribution."""

    op: ProcessingOp
    needs: Needs
    what: str
    """The op and its distribution in words."""

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the processed tensor.

        Raises:
            PluginError: The op fails, or returns something else than an array of the shape and the dtype that it declared.

        """
        with blamed(self.what):
            result: object = self.op(tensor, measured)
        if not isinstance(result, np.ndarray) or isinstance(result, np.ma.MaskedArray):  # a mask would be lost where pixels are written
            raise PluginError(f"{self.what} returns {type(result).__name__}: expected a numpy array of shape {tensor.shape}")
        if result.shape != tensor.shape and not self.needs.whole_sample:
            raise PluginError(
                f"{self.what} returns shape {result.shape}: expected that of the block, {tensor.shape}, "
                "since only ops that see the whole sample may change it (Needs.whole_sample)"
            )
        allowed = self.needs.dtypes_from(tensor.dtype.name)
        if result.dtype.name not in allowed:
            raise PluginError(
                f"{self.what} returns {result.dtype.name} from {tensor.dtype.name}: expected {' or '.join(allowed)}; "
                "another dtype has to be declared (Needs.dtype)"
            )
        return result
