"""Where descriptions and their files come from."""

from .hashes import sha256_of
from .names import DESCRIPTION_NAMES
from .opening import Source, open_package
from .package import Package

__all__ = ["DESCRIPTION_NAMES", "Package", "Source", "open_package", "sha256_of"]
