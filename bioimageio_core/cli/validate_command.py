"""``bmz validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..report.plain_text import in_one_line
from .command_progress import command_progress
from .common_options import html_option, json_option
from .output_files import check_file_apart, write_page
from .terminal import paint, print_json, say

if TYPE_CHECKING:
    from ..report.cards.annotated_report import AnnotatedReport

__all__ = ["command"]

_STATUS = {"valid": 0, "invalid": 1, "unreadable": 2}


@click.command(epilog="Example: bmz validate models/ 'more/**/rdf.yaml' --check-files --html report.html")
@click.argument("sources", type=click.Path(), nargs=-1, required=True)
@click.option(
    "--check-files/--no-check-files",
    default=False,
    show_default=True,
    help="Also check the files of the descriptions: that they exist, are intact, and match the description.",
)
@html_option
@json_option
def command(sources: tuple[str, ...], check_files: bool, html: str | None, as_json: bool) -> int:
    """Validate descriptions against their format; the result does not depend on what is installed.

    SOURCES are files, folders, zips, URLs, ids in a collection, or patterns such as 'models/**/rdf.yaml'.
    In a folder without a description, all descriptions and packages below it are validated.
    Exit status 1 if any of them is invalid, 2 if any cannot be read.
    """
    from ..report.text.validation_text import validation_summary, validation_text
    from ..sources.find_sources import find_sources

    found = find_sources(sources)
    check_file_apart(html, found)
    reports: list[AnnotatedReport] = []
    with command_progress(shown=not as_json, after=2) as progress:
        for number, source in enumerate(found):
            if progress is not None:
                progress("validate", number, len(found))
            reports.append(_validated(source, check_files))
    if as_json:
        print_json([r.as_dict() for r in reports])
    else:
        for report in reports:
            if report.status == "unreadable":
                say(in_one_line(f"{report.source}: {report.issues[0].issue.message}"), err=True)
            else:
                say(validation_text(report, paint), exact=True)
        if len(reports) > 1:
            say(validation_summary(reports))
    if html is not None:
        from ..report.cards.annotated_report import validation_page

        write_page(html, validation_page(reports))
    return max(_STATUS[r.status] for r in reports)


def _validated(source: str, check_files: bool) -> AnnotatedReport:
    from ..api import validate
    from ..errors import SourceError
    from ..report.cards.annotated_report import annotate, unreadable_report
    from ..sources import open_package

    try:
        with open_package(source) as package:
            return annotate(validate(package, check_files=check_files), package.content)
    except SourceError as error:
        return unreadable_report(source, str(error))
