"""Programs in TorchScript files, read before PyTorch runs a part of them."""

from .program import check_program

__all__ = ["check_program"]
