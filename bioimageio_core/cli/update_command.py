"""``bmz update``."""

from __future__ import annotations

import click

from ..errors import InvalidDescriptionError
from .common_options import json_option, overwrite_option
from .output_files import check_file_apart
from .terminal import issues_as_data, issues_table, print_json, say

__all__ = ["command"]


@click.command(epilog="Example: bmz update old/rdf.yaml -o old/bioimageio.yaml")
@click.argument("source", type=click.Path())
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="YAML file to write, instead of printing it.")
@click.option("--repair", is_flag=True, help="Repair violations of the format where the intent is clear.")
@overwrite_option
@json_option
def command(source: str, output: str | None, repair: bool, overwrite: bool, as_json: bool) -> int:
    """Update a description to the newest format version of its type.

    Changed and lost fields are listed on standard error.
    With --repair, an invalid description is repaired first, and the repairs are listed, too;
    values that no version can read are kept under config.repaired.
    SOURCE is a file, folder, zip, URL, DOI of Zenodo or id in a collection; files that it refers to are not copied, so write beside them.
    Exit status 1 if the description is invalid, cannot be repaired, or has no valid form in the newest version.
    """
    from ..api import default_registry, save_description, update_format
    from ..spec.converters import unstructured
    from ..spec.saving import description_yaml
    from ..spec.validation import ValidationReport

    check_file_apart(output, [source])
    reports: list[ValidationReport] = []
    descr = None
    try:
        descr = update_format(source, repair=repair, report=reports.append)
    except InvalidDescriptionError as error:
        if not isinstance(error.report, ValidationReport):
            raise
        reports.append(error.report)
        if not as_json:
            say(f"bmz: {error}", err=True)
    issues = reports[0].issues
    if descr is not None and output is not None:
        save_description(descr, output, overwrite=overwrite)
    if as_json:
        result = {"source": reports[0].source, "status": "invalid", "issues": issues_as_data(issues)}
        if descr is not None:
            result |= {"status": "valid", "type": descr.type, "format_version": descr.format_version}
            result |= {"output": output} if output is not None else {"description": unstructured(descr, default_registry())}
        print_json(result)
        return 0 if descr is not None else 1
    if issues:
        say(issues_table(issues), err=True)
    if descr is None:
        return 1
    say(
        description_yaml(descr, default_registry()) if output is None else f"{output}: {descr.type} {descr.format_version}",
        nl=output is not None,
        exact=output is None,
    )
    return 0
