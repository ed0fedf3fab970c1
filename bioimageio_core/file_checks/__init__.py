"""What validation finds in the files that a description names."""

from .check_files import files_not_checked, with_checked_files

__all__ = ["files_not_checked", "with_checked_files"]
