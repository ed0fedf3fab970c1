"""Access to descriptions and their files: folders, zips, URLs and collections."""

from .hashes import sha256_of
from .member_names import DESCRIPTION_NAMES
from .package import Package
from .package_opening import Source, open_package

__all__ = ["DESCRIPTION_NAMES", "Package", "Source", "open_package", "sha256_of"]
