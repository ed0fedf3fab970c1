"""Conversion of weights to further formats, verified and added to the description."""

from .convert import ConvertedWeights, convert_weights

__all__ = ["ConvertedWeights", "convert_weights"]
