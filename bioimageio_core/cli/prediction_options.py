"""Options that commands which plan or predict share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import AxesError, InputError

__all__ = ["PRECISION", "as_inputs", "as_options", "check_axes_known", "prediction_options"]

PRECISION = "What the network computes with; narrower numbers are faster on some devices, and deviate."

F = TypeVar("F", bound=Callable[..., Any])


def prediction_options(function: F) -> F:
    """Add the options of `PredictOptions` to a command."""
    for option in reversed(
        [
            click.option("--axes", help="Axes of the image, as in 'tczyx' or 'time,channel,y,x'."),
            click.option("--channel", help="Channel to use, by name or number; several with commas."),
            click.option("--level", type=int, help="Resolution level of an OME-Zarr image, 0 the finest."),
            click.option("--block", help="Largest block by axis, in input pixels with halo, as in y=512,x=512."),
            click.option("--halo", help="Halo by output axis instead of the described one, as in y=32,x=32."),
            click.option("--network-stride", help="Product of the pooling factors by axis, as in y=16,x=16."),
            click.option(
                "--batch-size", type=click.IntRange(min=1), default=1, show_default=True, help="Blocks given to the network at once."
            ),
            click.option("--memory", default="2 GiB", show_default=True, help="Host memory to stay within."),
            click.option("--workers", type=click.IntRange(min=1), help="Blocks in flight at once; one per core by default."),
            click.option("--weights-format", help="Weights to use, as in onnx; the fastest installed by default."),
            click.option("--device", default="cpu", show_default=True, help="Device to run on, as in cuda:1; several with commas."),
            click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True, help=PRECISION),
            click.option("--compile", is_flag=True, help="Let PyTorch translate the network ahead of time."),
            click.option("--run-mode", help="Run mode instead of the described one, as in tta; see 'bmz plugins'."),
            click.option("--run-mode-kwargs", help='Its arguments as JSON, as in \'{"merge": "max"}\'.'),
            click.option("--stats-over", help="Axes that the model lacks to pool statistics over, with commas."),
            click.option("--chunks", help="Chunks of the output by axis, as in y=256,x=256."),
            click.option("--trust", is_flag=True, help="Run code that comes with the model."),
        ]
    ):
        function = option(function)
    return function


def as_options(given: dict[str, Any]) -> dict[str, Any]:
    """Return command line options as those of `PredictOptions`."""
    options = dict(given)
    for name in ("block", "halo", "network_stride", "chunks"):
        options[name] = axis_sizes(options[name], name)
    options["run_mode_kwargs"] = _json_mapping(options["run_mode_kwargs"])
    channel = options["channel"]
    if channel is not None:
        chosen = [int(c) if c.lstrip("-").isdigit() else c for c in (part.strip() for part in channel.split(","))]
        options["channel"] = chosen[0] if len(chosen) == 1 else chosen
    options["stats_over"] = tuple(part.strip() for part in (options["stats_over"] or "").split(",") if part.strip())
    return options


def axis_sizes(text: str | None, name: str) -> dict[str, int]:
    """Return sizes by axis, given as ``y=256,x=256`` to the option of this name."""
    sizes = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        axis, equals, size = part.partition("=")
        if not axis.strip() or not equals or not size.strip().lstrip("-").isdigit():
            raise click.UsageError(
                f"--{name.replace('_', '-')} {text}: expected AXIS=PIXELS, with commas between them, found {part.strip()!r}"
            )
        sizes[axis.strip()] = int(size)
    return sizes


def _json_mapping(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--run-mode-kwargs {text}: expected JSON, {error}") from None
    if not isinstance(value, dict):
        raise click.UsageError(f"--run-mode-kwargs {text}: expected a JSON object of arguments by name")
    return value


def as_inputs(paths: tuple[str, ...]) -> Any:
    """Return images given on the command line: one path, or ``id=path`` for each input."""
    if len(paths) == 1 and (Path(paths[0]).exists() or "=" not in paths[0]):
        return paths[0]
    inputs = {}
    for path in paths:
        name, equals, rest = path.partition("=")
        if not equals:
            raise InputError(f"several images: expected ID=PATH for each input of the model, found {path!r}")
        inputs[name] = rest
    return inputs


def check_axes_known(plan: Any, *, as_json: bool) -> None:
    """Raise AxesError where axes were guessed and nobody would see it, or guesses could contradict each other."""
    guessed = [i for i in plan.inputs if i.bound.axes_guessed]
    if guessed and (as_json or len(plan.inputs) > 1):
        bound = guessed[0].bound
        raise AxesError(
            f"{bound.image.name} does not say its axes; they look like {','.join(bound.image.axes)}, "
            "but under --json and with several inputs nothing is guessed: give --axes"
        )
