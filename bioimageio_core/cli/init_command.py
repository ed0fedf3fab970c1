"""``bmz init``."""

from __future__ import annotations

from pathlib import Path

import click

from .terminal import print_json, progress_bars, table

__all__ = ["command"]


@click.command(epilog="Example: bmz init model.onnx -o my-model")
@click.argument("file")
@click.option("-o", "--output", help="Folder to write; without it one named as FILE without its ending, in the current folder.")
@click.option("--name", help="Name of the model; without it that of the folder.")
@click.option("--axes", help="Axes of the inputs instead of a guess, as in bcyx; by input, as in image=bcyx,mask=byx.")
@click.option("--size", help="Sizes that the network is known to take, as in y=256,x=256.")
@click.option("--weights-format", help="Format of FILE, such as onnx; without it what its content says.")
@click.option("--trust", is_flag=True, help="Run code that comes with the weights.")
@click.option("--overwrite", is_flag=True, help="Replace a package that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(
    file: str,
    output: str | None,
    name: str | None,
    axes: str | None,
    size: str | None,
    weights_format: str | None,
    trust: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Begin a description from FILE, the weights of a network: ONNX, TorchScript, .pt2, .keras, .h5 or a SavedModel in a zip.

    What the file says is read; sizes, steps, scales and halo are measured by running the network; test tensors are made.
    The description is valid, and what could not be known is marked and listed. The folder is whole, or not there at all.
    """
    from ..api import init_description
    from .prediction_options import axis_sizes

    folder = output if output is not None else Path(file).stem
    with progress_bars(after=2) as progress:
        drafted = init_description(
            file,
            folder,
            name=name,
            axes=_axes(axes),
            size=axis_sizes(size, "size"),
            weights_format=weights_format,
            trust=trust,
            overwrite=overwrite,
            progress=progress,
        )
    issues = drafted.report.issues
    if as_json:
        print_json(
            {
                "source": file,
                "output": folder,
                "weights_format": drafted.weights_format,
                "status": drafted.report.status,
                "measured": drafted.measured.as_dict(),
                "guessed": list(drafted.guessed),
                "notes": list(drafted.notes),
                "todo": [{"path": t.path, "text": t.text} for t in drafted.todo],
                "issues": [{"path": i.path, "message": i.message, "severity": i.severity, "hint": i.hint} for i in issues],
            }
        )
        return
    click.echo(f"{folder}: model {drafted.report.format_version}, {drafted.report.status}, begun from {drafted.weights_format} weights")
    for title, sentences in (("guessed", drafted.guessed), ("found", drafted.notes)):
        if sentences:
            click.echo(f"\n{title}\n" + "\n".join(f"  {s}" for s in sentences))
    click.echo("\nto be filled in\n" + table([(f"  {t.path}", t.text) for t in drafted.todo]))
    click.echo(f"\nsee it: bmz info {folder}; try it: bmz test {folder}")


def _axes(text: str | None) -> str | dict[str, str] | None:
    """Return axes for all inputs, or by input."""
    if text is None or "=" not in text:
        return text
    given = {}
    for part in text.split(","):
        tensor, equals, letters = part.strip().partition("=")
        if not equals or not tensor or not letters:
            raise click.UsageError(
                f"--axes {text}: expected letters such as bcyx, or INPUT=LETTERS with commas between them, found {part!r}"
            )
        given[tensor] = letters
    return given
