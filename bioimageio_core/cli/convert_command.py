"""``bmz convert``."""

from __future__ import annotations

from typing import Any

import click

from .terminal import print_json, progress_bars, table

__all__ = ["command"]


@click.command(epilog="Example: bmz convert path/to/model --to onnx -o model-with-onnx")
@click.argument("model")
@click.option("--to", "to_format", required=True, metavar="FORMAT", help="Weights format to convert to, as in onnx or torchscript.")
@click.option("-o", "--output", required=True, help="Zip (a name ending in .zip) or folder to write.")
@click.option("--from", "weights_format", metavar="FORMAT", help="Weights to convert; by default those for which there is a converter.")
@click.option("--device", default="cpu", show_default=True, help="Device to run on, as in cuda:1.")
@click.option("--trust", is_flag=True, help="Run code that comes with the model, such as the architecture of pytorch_state_dict weights.")
@click.option("--overwrite", is_flag=True, help="Replace a package that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(model: str, to_format: str, output: str, overwrite: bool, as_json: bool, **options: Any) -> None:
    """Write MODEL with all its files, and with further weights that are converted from those that it has.

    The converted weights have to reproduce the test outputs, take the sizes that are described, and give what the others give;
    else nothing is written, and the exit status is 1. Which formats are converted depends on the plugins that are installed;
    'bmz plugins' lists them.
    """
    from ..api import convert_weights

    with progress_bars(shown=not as_json) as progress:

        def tell(stage: str) -> None:
            if progress is not None:
                progress(stage, 0, 1)

        converted = convert_weights(model, to_format, output, overwrite=overwrite, report=tell, **options)
    tested = {o.output: o.greatest_deviation for o in converted.test.outputs}
    if as_json:
        print_json(
            {
                "output": str(converted.path),
                "from": converted.from_format,
                "to": converted.to_format,
                "converter": converted.converter,
                "sizes": converted.sizes,
                "deviation_from_parent": dict(converted.deviations),
                "deviation_from_test_outputs": tested,
            }
        )
        return
    rows = [
        (name, f"{converted.deviations[name]:.3g}" if name in converted.deviations else "not compared", f"{away:.3g}")
        for name, away in tested.items()
    ]
    click.echo(table(rows, ("output", f"from {converted.from_format}", "from the test output")))
    click.echo(f"{converted.path}: {converted.to_format} from {converted.from_format}, by {converted.converter}")
