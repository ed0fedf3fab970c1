"""Packages: a description with all its files, written as one folder or zip."""

from .package_writer import write_package
from .references import FileReference, file_references
from .undescribed_data import REMEDY, undescribed_data

__all__ = ["REMEDY", "FileReference", "file_references", "undescribed_data", "write_package"]
