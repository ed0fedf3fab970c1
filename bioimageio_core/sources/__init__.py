"""Where descriptions and their files come from."""

from .hashes import sha256_of
from .package import Package, open_package

__all__ = ["Package", "open_package", "sha256_of"]
