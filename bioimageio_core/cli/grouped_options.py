"""Commands whose ``--help`` lists options in groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["GROUPS", "GroupedCommand", "grouped_option"]

GROUPS = {
    "input": "Input options",
    "blocks": "Block options",
    "network": "Network options",
    "output": "Output options",
    "cluster": "Cluster options",
    "run": "Run options",
}
"""Groups of options and their titles, in the order in which help lists them."""

FC = TypeVar("FC", bound=Callable[..., Any] | click.Command)


class _GroupedOption(click.Option):
    """An option that belongs to a group."""

    def __init__(self, *args: Any, group: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


def grouped_option(group: str, *names: str, **kwargs: Any) -> Callable[[FC], FC]:
    """Return a decorator that adds an option to a command, in one of `GROUPS`."""
    return click.option(*names, cls=_GroupedOption, group=group, **kwargs)


class GroupedCommand(click.Command):
    """A command that lists its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group; options without a group are run options."""
        sections: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if isinstance(param, click.Option) and record is not None:
                sections[getattr(param, "group", "run")].append(record)
        for group, records in sections.items():
            if records:
                with formatter.section(GROUPS[group]):
                    formatter.write_dl(records)
