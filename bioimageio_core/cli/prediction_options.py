"""Options that commands which plan or predict share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import AxesError, InputError

__all__ = ["PRECISION", "as_inputs", "as_many", "as_options", "check_axes_known", "prediction_options"]

OVERLAP = "What is done where blocks overlap: cut off, which is exact, or blend."
PRECISION = "What the network computes with; narrower numbers are faster on some devices, and deviate."

F = TypeVar("F", bound=Callable[..., Any])


def prediction_options(function: F) -> F:
    """Add the options of `PredictOptions` to a command."""
    for option in reversed(
        [
            click.option("--axes", help="Axes of the image, as in 'tczyx' or 'time,channel,y,x'."),
            click.option("--channel", help="Channel to use, by name or number; several with commas."),
            click.option("--level", type=int, help="Resolution level of an OME-Zarr image, 0 the finest."),
            click.option("--pixel-size", help="Size of a pixel by axis in the unit of the model, as in y=0.5,x=0.5, unless files say it."),
            click.option("--rescale", is_flag=True, help="Resample images to the pixel size of the model."),
            click.option("--roi", help="Part to predict by axis, in input pixels, as in y=0:512,x=100:612."),
            click.option("--mask", help="Image that is not 0 where the prediction is wanted."),
            click.option("--skip-empty", is_flag=True, help="Leave out blocks of nothing but 0."),
            click.option("--block", help="Largest block by axis, in input pixels with halo, as in y=512,x=512."),
            click.option("--halo", help="Halo by output axis instead of the described one, as in y=32,x=32."),
            click.option("--network-stride", help="Product of the pooling factors by axis, as in y=16,x=16."),
            click.option(
                "--batch-size", type=click.IntRange(min=1), default=1, show_default=True, help="Blocks given to the network at once."
            ),
            click.option("--memory", help="Host memory to stay within, as in '4 GB'; by default 2 GiB, or nine tenths of a job's."),
            click.option(
                "--probe/--no-probe", default=None, help="Measure the network before blocks are chosen; by default before long runs."
            ),
            click.option("--workers", type=click.IntRange(min=1), help="Blocks in flight at once; one per core by default."),
            click.option("--weights-format", help="Weights to use, as in onnx; the fastest installed by default."),
            click.option("--device", default="cpu", show_default=True, help="Device to run on, as in cuda:1; several with commas."),
            click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True, help=PRECISION),
            click.option("--compile", is_flag=True, help="Let PyTorch translate the network ahead of time."),
            click.option("--run-mode", help="Run mode instead of the described one, as in tta; see 'bmz plugins'."),
            click.option("--run-mode-kwargs", help='Its arguments as JSON, as in \'{"merge": "max"}\'.'),
            click.option("--stats-over", help="Axes that the model lacks to pool statistics over, with commas."),
            click.option("--statistics", help="File of statistics that 'bmz stats' wrote."),
            click.option("--chunks", help="Chunks of the output by axis, as in y=256,x=256."),
            click.option("--shards", help="Files of the output by axis, of several chunks each, as in y=2048,x=2048."),
            click.option("--dtype", help="What the output is stored as, as in uint8."),
            click.option("--value-range", default="0,1", show_default=True, help="Values that 0 and the largest integer stand for."),
            click.option("--codec", default="lz4", show_default=True, help="lz4, zstd, gzip or blosc, with a level as in zstd:9, or none."),
            click.option("--ome", type=click.Choice(["0.4", "0.5"]), help="Write OME-Zarr of this version."),
            click.option("--pyramid", is_flag=True, help="Write coarser levels, too."),
            click.option("--overlap", type=click.Choice(["crop", "linear", "gaussian"]), default="crop", show_default=True, help=OVERLAP),
            click.option("--trust", is_flag=True, help="Run code that comes with the model."),
        ]
    ):
        function = option(function)
    return function


def as_options(given: dict[str, Any]) -> dict[str, Any]:
    """Return command line options as those of `PredictOptions`."""
    options = dict(given)
    for name in ("block", "halo", "network_stride", "chunks", "shards"):
        options[name] = axis_sizes(options[name], name)
    options["roi"] = _ranges(options["roi"])
    options["pixel_size"] = _pixel_sizes(options["pixel_size"])
    options["value_range"] = _two_numbers(options["value_range"])
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


def _ranges(text: str | None) -> dict[str, tuple[int, int]]:
    ranges = {}
    for part in (text or "").split(","):
        if part.strip():
            axis, _, rest = part.partition("=")
            start, colon, stop = rest.partition(":")
            if not axis.strip() or not colon or not start.strip().isdecimal() or not stop.strip().isdecimal():
                raise click.UsageError(f"--roi {text}: expected AXIS=START:STOP, with commas between them, found {part.strip()!r}")
            ranges[axis.strip()] = (int(start), int(stop))
    return ranges


def _pixel_sizes(text: str | None) -> dict[str, float]:
    sizes = {}
    for part in (text or "").split(","):
        if part.strip():
            axis, _, size = part.partition("=")
            try:
                sizes[axis.strip()] = float(size)
            except ValueError:
                raise click.UsageError(f"--pixel-size {text}: expected AXIS=SIZE, with commas between, found {part.strip()!r}") from None
    return sizes


def _two_numbers(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(f"--value-range {text}: expected two numbers with a comma between them, as in -1,1") from None
    return low, high


def _json_mapping(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--run-mode-kwargs {text}: expected JSON, {error}") from None
    if not isinstance(value, dict):
        raise click.UsageError(f"--run-mode-kwargs {text}: expected a JSON object of arguments by name")
    return value


def as_many(paths: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the images of a command line that names many for a model with one input: several, a pattern or a folder; else None."""
    if any("=" in path and not Path(path).exists() for path in paths):
        return None
    from ..prediction.data.expand_image_paths import expand_image_paths

    found = expand_image_paths(paths)
    if not found:
        raise InputError(f"there are no images in {', '.join(paths)}: expected .npy, .tif or .zarr")
    return None if len(paths) == 1 and found == paths else found


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
