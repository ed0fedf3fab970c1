"""Checks of the files that a description names, as a part of validation."""

from .check_files import files_not_checked, with_checked_files

__all__ = ["files_not_checked", "with_checked_files"]
