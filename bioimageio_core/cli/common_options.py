"""Options that several commands have."""

from __future__ import annotations

import click

from ..env import set_temporarily
from .grouped_options import grouped_option
from .value_completion import device_names, installed_names

__all__ = [
    "compile_option",
    "device_option",
    "html_option",
    "import_option",
    "include_outside_option",
    "json_option",
    "overwrite_option",
    "precision_option",
    "timeout_option",
    "trust_option",
    "weights_option",
]

html_option = click.option("--html", type=click.Path(), metavar="FILE", help="Write an HTML page that needs no other file; replaces FILE.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")

device_option = click.option(
    "--device", shell_complete=device_names, default="cpu", show_default=True, help="Device that runs the network, as in cuda:1."
)
precision_option = grouped_option(
    "network",
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    default="fp32",
    show_default=True,
    help="Number format of the network; narrower ones are faster on some devices, and less exact.",
)
compile_option = grouped_option("network", "--compile", is_flag=True, help="Let PyTorch compile the network.")
trust_option = grouped_option("network", "--trust", is_flag=True, help="Run code that comes with the model.")
import_option = grouped_option(
    "network",
    "--import",
    "imports",
    metavar="NAME",
    multiple=True,
    help="Library to import before weights are loaded, because they use its ops, as in torchvision; may be repeated.",
)


def _set_time_limit(context: click.Context, _parameter: click.Parameter, seconds: float | None) -> None:
    if seconds is not None:
        context.with_resource(set_temporarily("BMZ_TIMEOUT", str(seconds)))


timeout_option = grouped_option(
    "network",
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    expose_value=False,
    callback=_set_time_limit,
    show_default="BMZ_TIMEOUT, or no limit",
    help="Give up a call of the network, or a server, that gives no answer within this time.",
)
weights_option = grouped_option(
    "network",
    "--weights-format",
    shell_complete=installed_names("weights_formats"),
    show_default="the fastest that are installed",
    help="Weights to use, as in onnx.",
)
include_outside_option = click.option(
    "--include-outside", is_flag=True, help="Copy files that MODEL names outside of its folder, too; look at them first."
)
overwrite_option = grouped_option("output", "--overwrite", is_flag=True, help="Replace an existing output.")
