"""Packages: a description with all its files, written as one folder or zip."""

from .package_writer import write_package
from .references import FileReference, file_references

__all__ = ["FileReference", "file_references", "write_package"]
