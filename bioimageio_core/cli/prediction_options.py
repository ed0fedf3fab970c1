"""Options of commands that plan or predict; each is passed on under its name as an option of a prediction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from .common_options import compile_option, import_option, precision_option, timeout_option, trust_option, weights_option
from .grouped_options import grouped_option
from .parameter_types import AXIS_LENGTHS, AXIS_RANGES, AXIS_SIZES, HALO, JSON_OBJECT, MEMORY, NAMES, NUMBER_PAIR
from .value_completion import codec_names, device_names, installed_names

__all__ = ["chain_options", "prediction_options"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    grouped_option("input", "--axes", help="Axes of the image, as in 'tczyx' or 'time,channel,y,x'."),
    grouped_option("input", "--channel", help="Channels to use, by name or number, as in DAPI or 0,2."),
    grouped_option("input", "--level", type=int, help="Resolution level of an OME-Zarr image; 0 is the finest."),
    grouped_option("input", "--scene", help="Image of a file that holds several, by number or name, as in 1 or Pos1."),
    grouped_option(
        "input",
        "--pixel-size",
        type=AXIS_LENGTHS,
        help="Pixel size by axis, as in y=0.5um; without a unit, in that of the model. It replaces that of the file.",
    ),
    grouped_option("input", "--rescale", is_flag=True, help="Resample images to the pixel size of the model."),
    grouped_option(
        "input",
        "--roi",
        type=AXIS_RANGES,
        help="Region to predict, in input pixels, as in y=0:512,x=100: to the end.",
    ),
    grouped_option("input", "--mask", type=click.Path(), help="Image that is not 0 where a prediction is wanted."),
    grouped_option("input", "--skip-empty", is_flag=True, help="Skip blocks whose pixels are all 0."),
    grouped_option("input", "--statistics", type=click.Path(), help="File with statistics, as written by 'bmz stats'."),
    grouped_option("input", "--stats-over", type=NAMES, help="Axes that the model lacks, over which statistics are pooled."),
    grouped_option(
        "blocks",
        "--block",
        type=AXIS_SIZES,
        help="Largest block, in input pixels with halo, as in y=512,x=512, or 512 for all axes of space.",
    ),
    grouped_option(
        "blocks",
        "--halo",
        type=HALO,
        help="Halo by output axis, instead of the described one, as in y=32,x=32, or 'measured' (see 'bmz info --measure').",
    ),
    grouped_option("blocks", "--network-stride", type=AXIS_SIZES, help="Product of the pooling factors by axis, as in y=16,x=16."),
    grouped_option(
        "blocks",
        "--overlap",
        type=click.Choice(["crop", "linear", "gaussian"]),
        default="crop",
        show_default=True,
        help="Crop blocks where they overlap, which is exact, or blend them.",
    ),
    grouped_option(
        "blocks",
        "--batch-size",
        type=click.IntRange(min=1),
        show_default="the fastest, where it was measured, else 1",
        help="Blocks per call of the network.",
    ),
    grouped_option(
        "blocks", "--memory", type=MEMORY, show_default="90% of the job's limit, else 2 GiB", help="Limit of host memory, as in '4 GB'."
    ),
    grouped_option(
        "blocks", "--probe/--no-probe", default=None, show_default="before long runs", help="Measure the network before blocks are chosen."
    ),
    weights_option,
    grouped_option(
        "network",
        "--device",
        shell_complete=device_names,
        default="cpu",
        show_default=True,
        help="Devices that run the network, as in cuda:0,cuda:1.",
    ),
    precision_option,
    compile_option,
    grouped_option(
        "network",
        "--run-mode",
        shell_complete=installed_names("run_modes"),
        help="Run mode instead of the described one, as in tta; 'bmz plugins' lists them.",
    ),
    grouped_option(
        "network", "--run-mode-kwargs", type=JSON_OBJECT, default="{}", help='Arguments of the run mode, as in \'{"merge": "max"}\'.'
    ),
    import_option,
    timeout_option,
    trust_option,
    grouped_option(
        "output",
        "--post",
        "postprocessing",
        shell_complete=installed_names("processing_ops"),
        multiple=True,
        metavar="OP[:NAME=VALUE,...]",
        help="Op after those of the model, as in 'connected_components:threshold=0.5,min_size=20'; may be given several times.",
    ),
    grouped_option(
        "output",
        "--object-size",
        type=AXIS_SIZES,
        show_default="as the op says, else 64",
        help="Largest object in output pixels, for ops that label objects block by block, as in 100, or z=20,y=100,x=100.",
    ),
    grouped_option(
        "output",
        "--join-slices",
        metavar="AXIS[=OVERLAP]",
        help="Axis that the model lacks, along which objects of neighbouring slices are joined if their intersection over union is "
        "greater than this, as in z or z=0.4; without a number, than 0.25.",
    ),
    grouped_option(
        "output", "--table", type=click.Path(), help="Table of the labelled objects to write, as in cells.csv or cells.parquet."
    ),
    grouped_option("output", "--dtype", show_default="as described", help="Data type of the stored output, as in uint8."),
    grouped_option(
        "output", "--value-range", type=NUMBER_PAIR, default="0,1", show_default=True, help="Values stored as 0 and as the largest integer."
    ),
    grouped_option(
        "output",
        "--output-format",
        shell_complete=installed_names("image_writers"),
        help="Format of the file, where several have its ending, as in imagej for .tif; 'bmz plugins' lists them.",
    ),
    grouped_option(
        "output",
        "--ome",
        type=click.Choice(["auto", "0.4", "0.5", "none"]),
        default="auto",
        show_default="0.5 where it can hold the output",
        help="Version of OME-Zarr, or none for plain zarr arrays.",
    ),
    grouped_option("output", "--pyramid/--no-pyramid", default=None, show_default="with it", help="Coarser levels of OME-Zarr."),
    grouped_option("output", "--chunks", type=AXIS_SIZES, help="Chunks of the output, in output pixels, as in y=256,x=256."),
    grouped_option("output", "--shards", type=AXIS_SIZES, help="Files of the output, of several chunks each, as in y=2048,x=2048."),
    grouped_option(
        "output",
        "--codec",
        shell_complete=codec_names,
        default="lz4",
        show_default=True,
        help="Compression: none, lz4, zstd, gzip or blosc, with a level as in zstd:9.",
    ),
    grouped_option("run", "--workers", type=click.IntRange(min=1), show_default="one per core", help="Blocks computed at the same time."),
)


_CHAIN = (
    grouped_option(
        "network",
        "--then",
        type=click.Path(),
        multiple=True,
        metavar="MODEL",
        help="Model that takes outputs of those before, as one prediction; may be given several times.",
    ),
    grouped_option(
        "output",
        "--intermediate",
        type=click.Path(),
        help="Zarr group for the outputs of the models before; without it they are not stored.",
    ),
)


def chain_options(function: F) -> F:
    """Add the options of chains of models to a command."""
    for option in reversed(_CHAIN):
        function = option(function)
    return function


def prediction_options(function: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
