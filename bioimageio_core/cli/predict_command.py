"""``bmz predict``."""

from __future__ import annotations

from typing import Any

import click

from .prediction_options import as_inputs, as_options, check_axes_known, prediction_options
from .terminal import INTERRUPTED, bytes_in_words, peak_memory, print_json, progress_bars

__all__ = ["command"]


@click.command(
    epilog="Example: bmz predict path/to/model image.zarr -o result.zarr. "
    "For several inputs: bmz predict path/to/model raw=a.zarr mask=b.zarr -o result.zarr"
)
@click.argument("model")
@click.argument("images", nargs=-1, required=True)
@click.option("-o", "--output", required=True, help="Zarr group to write, with one array per output.")
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
@prediction_options
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(model: str, images: tuple[str, ...], output: str, overwrite: bool, as_json: bool, **given: Any) -> None:
    """Predict IMAGES of any size with MODEL.

    MODEL is a folder, a description file, a zip or a URL. IMAGES are .npy, .tif or zarr; give ID=PATH where the model has several inputs.
    """
    from ..api import open_predictor
    from ..report.plan_text import guessed_axes_text

    with open_predictor(model, overwrite=overwrite, **as_options(given)) as predictor:
        plan = predictor.plan(as_inputs(images))
        check_axes_known(plan, as_json=as_json)
        if not as_json:
            for line in (*guessed_axes_text(plan), *(f"warning: {w}" for w in plan.warnings)):
                click.echo(line, err=True)
        with progress_bars(shown=not as_json) as progress:
            try:
                prediction = predictor.run(plan, output, progress=progress)
            except KeyboardInterrupt:
                raise _Interrupted(output) from None
    peak = peak_memory()
    if as_json:
        print_json(
            {
                "output": output,
                "arrays": {k: {"axes": v.axes, "shape": v.shape, "dtype": str(v.dtype)} for k, v in prediction.items()},
                "seconds": dict(prediction.times),
                "statistics": dict(prediction.statistics),
                "nan_counts": dict(prediction.nan_counts),
                "peak_memory": peak,
                "warnings": plan.warnings,
            }
        )
        return
    for name, array in prediction.items():
        click.echo(f"{output}/{name}: {array.dtype}, {', '.join(f'{a} {n}' for a, n in array.sizes.items())}")
    for name, count in prediction.nan_counts.items():
        click.echo(f"note: {count} pixels of {name} are NaN; statistics ignore them")
    stages = "".join(f"{k} {v:.1f} s, " for k, v in prediction.times.items() if k != "total" and v >= 0.05)
    click.echo(
        f"{prediction.times['total']:.1f} s ({stages}{plan.workers} worker{'s' * (plan.workers != 1)})"
        + (f", peak memory {bytes_in_words(peak)}" if peak else "")
    )


class _Interrupted(click.ClickException):
    """Ctrl-C during a prediction; says what the run leaves behind."""

    exit_code = INTERRUPTED

    def __init__(self, output: str) -> None:
        from ..io import OutputStore

        left = f"; {output} is unfinished, --overwrite begins anew" if OutputStore(output).unfinished else ""
        super().__init__(f"interrupted{left}")
