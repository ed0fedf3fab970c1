"""``bmz stats``."""

from __future__ import annotations

from typing import Any

import click

from .command_progress import command_progress
from .common_options import json_option, overwrite_option
from .output_files import check_file_apart
from .parameter_types import JSON_OBJECT, NAMES
from .terminal import print_json, say
from .value_completion import installed_names
from .verbosity_options import verbosity_options

__all__ = ["command"]


@click.command(
    epilog="Example: bmz stats 'plate/*.zarr' --model path/to/model -o statistics.json, "
    "then bmz predict path/to/model plate/a.zarr -o a.zarr --statistics statistics.json"
)
@click.argument("images", type=click.Path(), nargs=-1, required=True)
@click.option("--model", help="Measure the statistics that the preprocessing of this model needs.")
@click.option(
    "--measure",
    "measures",
    multiple=True,
    show_default="mean, std, min, max",
    help="Without --model: mean, std, min, max, median, count, 'percentile 99.8' (interpolated as in numpy), "
    "'percentile 99.8 inverted_cdf' (the value of a pixel), 'histogram 256 0 65535' (bins and their range); may be repeated.",
)
@click.option("--over", type=NAMES, default="", show_default="all", help="Axes to reduce over, as in y,x.")
@click.option("-o", "--output", type=click.Path(), help="JSON file to write, for --statistics of 'bmz predict'.")
@overwrite_option
@click.option("--axes", help="Axes of the images, as in 'tczyx'.")
@click.option("--channel", help="Channels to use, by name or number, as in DAPI or 0,2.")
@click.option("--level", type=int, help="Resolution level of OME-Zarr images; 0 is the finest.")
@click.option("--scene", help="Image of files that hold several, by number or name, as in 1 or Pos1.")
@click.option("--stats-over", type=NAMES, help="Axes that the model lacks, over which statistics are pooled.")
@click.option(
    "--run-mode",
    shell_complete=installed_names("run_modes"),
    help="With --model: run mode of the predictions, where it changes what a sample is, as orthoplanes does.",
)
@click.option("--run-mode-kwargs", type=JSON_OBJECT, default="{}", help="Arguments of the run mode.")
@click.option("--workers", type=click.IntRange(min=1), show_default="one per core", help="Threads.")
@verbosity_options
@json_option
def command(
    images: tuple[str, ...],
    model: str | None,
    measures: tuple[str, ...],
    over: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Compute exact statistics of IMAGES of any size: of all together, and of each.

    IMAGES are files of a format that is read (TIFF, zarr, .npy, PNG, HDF5, ...), patterns or folders of these.
    """
    from ..api import compute_statistics
    from ..errors import InputError
    from ..places import check_apart
    from ..prediction.data.expand_image_paths import expand_image_paths

    paths = expand_image_paths(images)
    if not paths:
        raise InputError(f"no images in {', '.join(images)}: expected files of a format that is read, such as .tif, .zarr or .png")
    if output is not None:
        check_apart(output, [("an image to measure", path) for path in paths], within=True)
        check_file_apart(output, [model] if model is not None else [])
    with command_progress(shown=not as_json) as progress:
        found = compute_statistics(
            list(paths),
            model,
            measures=measures or ("mean", "std", "min", "max"),
            over=over,
            progress=progress,
            **given,
        )
    if output is not None:
        found.save(output, overwrite=overwrite)
    if as_json:
        images_found = {key: dict(values) for key, values in found.images.items()}
        print_json({"dataset": dict(found.dataset), "images": images_found, "nan_counts": dict(found.nan_counts)})
        return
    from ..report.text.statistics_text import statistics_text

    say(statistics_text(found))
