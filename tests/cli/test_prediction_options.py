"""Options of `bmz predict`: those of Python, in groups."""

from __future__ import annotations

import re

import attrs
import click
import pytest
from bmz_process import ForkedBmz

from bioimageio_core.cli.grouped_options import GROUPS
from bioimageio_core.cli.plan_command import command as plan
from bioimageio_core.cli.predict_command import command as predict
from bioimageio_core.cli.verify_command import command as verify
from bioimageio_core.prediction.options import PredictOptions

IN_PYTHON_ONLY = {"client", "progress"}
ON_THE_COMMAND_LINE_ONLY = {
    "dry_run",
    "html",
    "log",
    "quiet",
    "verbose",
    "output",
    "picture",
    "scheduler",
    "processes",
    "then",
    "timeout",
    "as_json",
}


def options_of(command: click.Command) -> dict[str, click.Option]:
    """Return the options of a command by name."""
    return {str(p.name): p for p in command.params if isinstance(p, click.Option)}


class TestPredict:
    """``bmz predict``."""

    def test_every_option_of_python(self) -> None:
        """The command line has each option of a prediction, under the same name."""
        in_python = {field.name for field in attrs.fields(PredictOptions)} - IN_PYTHON_ONLY
        assert set(options_of(predict)) - ON_THE_COMMAND_LINE_ONLY == in_python

    @pytest.mark.parametrize("command", [predict, plan, verify])
    def test_defaults_of_python(self, command: click.Command) -> None:
        """An option that is not given means the same as in Python."""
        arguments = ["model", "image.zarr", *(("-o", "out.zarr") if command is predict else ())]
        parsed = command.make_context("bmz", arguments).params
        names = {field.name for field in attrs.fields(PredictOptions)} & set(parsed)
        assert len(names) > 20
        assert PredictOptions(**{name: parsed[name] for name in names}) == PredictOptions()

    def test_help_in_groups(self, bmz: ForkedBmz) -> None:
        """Each group once, in the given order, and each option in its group."""
        text = bmz("predict", "--help").out
        sections = re.split(r"^(\w+ options):$", text, flags=re.MULTILINE)
        assert sections[1::2] == list(GROUPS.values())
        by_title = dict(zip(sections[1::2], sections[2::2], strict=True))
        for option, title in {"--roi": "Input", "--block": "Block", "--device": "Network", "--ome": "Output", "--shard": "Cluster"}.items():
            assert f"{option} " in by_title[f"{title} options"]
        assert "--resume" in by_title["Run options"]
