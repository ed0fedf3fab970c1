"""``bmz stats``."""

from __future__ import annotations

from typing import Any

import click

from .terminal import print_json, progress_bars, table

__all__ = ["command"]


@click.command(
    epilog="Example: bmz stats 'plate/*.zarr' --model path/to/model -o statistics.json, "
    "then bmz predict path/to/model plate/a.zarr -o a.zarr --statistics statistics.json"
)
@click.argument("images", nargs=-1, required=True)
@click.option("--model", help="Measure what the preprocessing of this model wants.")
@click.option(
    "--measure",
    "measures",
    multiple=True,
    help="Without a model: mean, std, min, max, median, 'percentile 99.8' (interpolated as numpy does), "
    "'percentile 99.8 inverted_cdf' (a pixel of the image); several times. By default mean, std, min and max.",
)
@click.option("--over", help="Axes to reduce over, with commas, as in y,x; all by default.")
@click.option("-o", "--output", help="JSON file to write, for --statistics of 'bmz predict'.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@click.option("--axes", help="Axes of the images, as in 'tczyx'.")
@click.option("--channel", help="Channel to use, by name or number.")
@click.option("--level", type=int, help="Resolution level of OME-Zarr images, 0 the finest.")
@click.option("--stats-over", help="Axes that the model lacks to pool statistics over, with commas.")
@click.option("--workers", type=click.IntRange(min=1), help="Threads; one per core by default.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(
    images: tuple[str, ...],
    model: str | None,
    measures: tuple[str, ...],
    over: str | None,
    output: str | None,
    overwrite: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Measure IMAGES of any size, exactly: all together, and each of them.

    IMAGES are .npy, .tif or zarr, patterns or folders of these.
    """
    from ..api import compute_statistics
    from ..prediction.data.expand_image_paths import expand_image_paths

    channel = given["channel"]
    options = {
        **given,
        "channel": int(channel) if channel is not None and channel.lstrip("-").isdigit() else channel,
        "stats_over": tuple(part.strip() for part in (given["stats_over"] or "").split(",") if part.strip()),
    }
    with progress_bars(shown=not as_json) as progress:
        found = compute_statistics(
            list(expand_image_paths(images)),
            model,
            measures=measures or ("mean", "std", "min", "max"),
            over=tuple(part.strip() for part in (over or "").split(",") if part.strip()),
            progress=progress,
            **options,
        )
    if output is not None:
        found.save(output, overwrite=overwrite)
    if as_json:
        images_found = {key: dict(values) for key, values in found.images.items()}
        print_json({"dataset": dict(found.dataset), "images": images_found, "nan_counts": dict(found.nan_counts)})
        return
    rows = [("all images", name, _values_text(value)) for name, value in found.dataset.items()]
    rows += [(key[:12], name, _values_text(value)) for key, values in found.images.items() for name, value in values.items()]
    click.echo(table(rows, ("of", "measure", "value")))
    for name, count in found.nan_counts.items():
        click.echo(f"note: {count} pixels of {name} are NaN; statistics ignore them")


def _values_text(value: Any) -> str:
    """Return one number, or the first of several."""
    flat = []
    stack = [value]
    while stack:
        top = stack.pop(0)
        if isinstance(top, list):
            stack = [*top, *stack]
        else:
            flat.append(top)
    shown = ", ".join(f"{v:.8g}" for v in flat[:4])
    return shown + (f", ... ({len(flat)} values)" if len(flat) > 4 else "")
