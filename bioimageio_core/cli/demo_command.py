"""``bmz demo``."""

from __future__ import annotations

from pathlib import Path

import click

from ..resources import peak_memory
from .command_progress import command_progress
from .common_options import json_option, overwrite_option
from .parameter_types import MEMORY
from .terminal import bytes_in_words, print_json, say
from .verbosity_options import verbosity_options

__all__ = ["command"]


@click.command(epilog="Example: bmz demo -o my-demo")
@click.option(
    "-o", "--output", type=click.Path(), default="bmz-demo", show_default=True, help="Folder for the image, the result and a picture."
)
@click.option("--size", type=click.IntRange(min=64), default=12288, show_default=True, help="Pixels along each side of the image.")
@click.option("--memory", type=MEMORY, default="280 MiB", show_default=True, help="Limit of host memory.")
@overwrite_option
@verbosity_options
@json_option
def command(output: str, size: int, memory: int, overwrite: bool, as_json: bool) -> None:
    """Predict a large synthetic image with a model of this package; needs no network connection and no data.

    Draws nuclei, predicts them zarr to zarr in less memory than the image takes, and draws a picture of input and output.
    """
    from ..demo.run import run_demo

    def show_stage(line: str) -> None:
        if not as_json:
            say(line)

    with command_progress(shown=not as_json) as progress:
        result = run_demo(Path(output), size=size, memory=bytes_in_words(memory), overwrite=overwrite, progress=progress, say=show_stage)
    peak = peak_memory()
    times = result.prediction.times
    if as_json:
        print_json(
            {
                "image": result.image,
                "output": result.output,
                "picture": result.picture,
                "image_bytes": result.image_bytes,
                "memory": result.memory,
                "peak_memory": peak,
                "seconds": {"predict": times["total"], "all": result.seconds},
                "overlap": result.overlap,
                "nuclei": None
                if result.count is None
                else {"drawn": result.count.drawn, "found": result.count.found, "objects": result.count.objects},
            }
        )
        return
    array = result.prediction["probability"]
    say(f"result    {result.output}/probability, {' x '.join(map(str, array.shape))} {array.dtype}")
    say(f"picture   {result.picture}")
    say(f"time      {times['total']:.1f} s for {size * size / 1e6:.0f} million pixels, {result.seconds:.1f} s in all")
    if peak is not None:
        say(f"memory    {bytes_in_words(peak)} at most, for an image of {bytes_in_words(result.image_bytes)} in memory")
    say(f"overlap   {result.overlap:.2f} (intersection over union of predicted and drawn nuclei)")
    count = result.count
    if count is None:
        say("nuclei    not counted: pip install bioimageio-runtime-labels")
    else:
        say(f"nuclei    {count.found} of {count.drawn} drawn nuclei found, as {count.objects} objects, since some touch: {count.table}")
