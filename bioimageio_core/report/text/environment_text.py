"""The requirements of a model as text: a file for conda."""

from __future__ import annotations

from ...environments.environment import Environment

__all__ = ["environment_text"]


def environment_text(environment: Environment) -> str:
    """Return the text of a conda environment file."""
    return environment.conda_file().rstrip()
