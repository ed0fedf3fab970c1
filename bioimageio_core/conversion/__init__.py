"""Weights of a model in further formats: converted, verified, and added to its description."""

from .convert import ConvertedWeights, convert_weights

__all__ = ["ConvertedWeights", "convert_weights"]
