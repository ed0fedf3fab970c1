"""Descriptions written with all their files, as one folder or zip."""

from .references import FileReference, file_references
from .write import write_package

__all__ = ["FileReference", "file_references", "write_package"]
