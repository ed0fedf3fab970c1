"""``bmz package``."""

from __future__ import annotations

import click

from .common_options import include_outside_option, json_option, overwrite_option
from .terminal import bytes_in_words, print_json, say
from .value_completion import installed_names

__all__ = ["command"]


@click.command(epilog="Example: bmz package path/to/model -o model.zip --weights-format onnx")
@click.argument("model", type=click.Path())
@click.option("-o", "--output", type=click.Path(), required=True, help="Zip file (a name that ends in .zip) or folder to write.")
@click.option(
    "--weights-format",
    "weights_formats",
    shell_complete=installed_names("weights_formats"),
    multiple=True,
    show_default="all",
    help="Weights to keep; may be repeated.",
)
@include_outside_option
@overwrite_option
@json_option
def command(model: str, output: str, weights_formats: tuple[str, ...], include_outside: bool, overwrite: bool, as_json: bool) -> None:
    """Write MODEL with copies of all its files into one zip file or folder.

    MODEL is a folder, a description file, a zip, a URL (http, s3, hf), a DOI of Zenodo, or an id in a collection.
    """
    from ..api import package_files, save_package

    path = save_package(model, output, weights_formats=weights_formats or None, overwrite=overwrite, include_outside=include_outside)
    files = package_files(path)
    if as_json:
        print_json({"output": str(path), "files": dict(files)})
        return
    say(f"{path}: {len(files)} files, {bytes_in_words(sum(files.values()))} unpacked")
