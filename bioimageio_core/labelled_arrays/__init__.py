"""Arrays with named axes: labels of axes, arithmetic, reductions and selection by name; lazy where the pixels are in storage."""

from .labelled_array import LabelledArray

__all__ = ["LabelledArray"]
