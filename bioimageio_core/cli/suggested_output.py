"""What to write where ``-o`` is missing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click

from ..file_kinds import stem

__all__ = ["missing_output"]


def missing_output(model: str, images: Sequence[str], *, many: bool) -> click.UsageError:
    """Return the error of a command that was given no output, with one to copy.

    Args:
        model: As given.
        images: As given.
        many: Whether the images are predicted one after the other.

    """
    first = images[0].partition("=")[2] if "=" in images[0] else images[0]
    name = stem(first) or "result"
    output = "results/{name}.ome.zarr" if many else f"{name}-predicted.ome.zarr"
    command = shlex.join(["bmz", "predict", model, *images, "-o", output])
    return click.UsageError(f"no output is given: say with -o where to write, as in: {command}")
