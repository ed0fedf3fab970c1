"""Starts Python. Public: plugins start it likewise.

The current folder is often that of a model or of images: what lies there is not imported in place of what is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["SAFE_PATH", "python_command"]

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Environment variables that do the same as ``-P`` of `python_command`, for processes that other libraries start."""


def python_command(*arguments: str, python: str | Path = sys.executable) -> list[str]:
    """Return the command that starts Python without the current folder among the places of modules.

    Args:
        arguments: Such as ``"-m", "venv", "folder"``.
        python: The interpreter.

    """
    return [str(python), "-P", *arguments]
