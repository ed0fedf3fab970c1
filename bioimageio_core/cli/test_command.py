"""``bmz test``."""

from __future__ import annotations

from typing import Any

import click

from .terminal import print_json, progress_bars, table

__all__ = ["command"]


@click.command(epilog="Example: bmz test path/to/model --weights-format onnx")
@click.argument("model")
@click.option("--weights-format", help="Test these weights only; all that can be run here by default.")
@click.option("--device", default="cpu", show_default=True, help="Device to run on, as in cuda:1.")
@click.option("--trust", is_flag=True, help="Run code that comes with the model.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(model: str, as_json: bool, **options: Any) -> int:
    """Run MODEL on its test inputs in every weights format that can be run here, and compare with its test outputs.

    Exit status 1 if any differs by more than the description allows, or none could be run.
    """
    from ..api import test_model

    with progress_bars(shown=not as_json) as progress:
        stages: list[str] = []

        def tell(stage: str) -> None:
            stages.append(stage)
            if progress is not None:
                progress(f"test {stage}", 0, 1)

        report = test_model(model, report=tell, **options)
    if as_json:
        print_json(
            {
                "model": report.model,
                "status": report.status,
                "tests": [
                    {
                        "weights_format": t.weights_format,
                        "status": t.status,
                        "message": t.message,
                        "adapter": t.adapter,
                        "outputs": [
                            {
                                "output": o.output,
                                "passed": o.passed,
                                "greatest_deviation": o.greatest_deviation,
                                "at": o.at,
                                "mismatched": o.mismatched,
                                "elements": o.elements,
                                "relative_tolerance": o.tolerance.relative,
                                "absolute_tolerance": o.tolerance.absolute,
                                "mismatched_per_million": o.tolerance.mismatched_per_million,
                            }
                            for o in t.outputs
                        ],
                    }
                    for t in report.tests
                ],
            }
        )
    else:
        rows = []
        for t in report.tests:
            for o in t.outputs:
                deviation = f"{o.greatest_deviation:.3g}"
                rows.append(
                    (
                        t.weights_format,
                        "passed" if o.passed else "failed",
                        o.output,
                        deviation,
                        f"{o.mismatched} of {o.elements}",
                        o.message,
                    )
                )
            if not t.outputs:
                rows.append((t.weights_format, t.status, "", "", "", t.message))
        click.echo(f"{report.model}: {report.status}")
        click.echo(table(rows, ("weights", "status", "output", "greatest deviation", "beyond tolerance", "")))
    return 0 if report.status == "passed" else 1
