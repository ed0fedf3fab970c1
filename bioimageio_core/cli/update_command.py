"""``bmz update``."""

from __future__ import annotations

import click

from ..errors import InvalidDescriptionError
from .terminal import print_json, table

__all__ = ["command"]


@click.command(epilog="Example: bmz update old/rdf.yaml -o old/bioimageio.yaml")
@click.argument("source")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="YAML file to write; without it the YAML is printed.")
@click.option("--repair", is_flag=True, help="Mend what breaks the format, where it is certain what is meant.")
@click.option("--overwrite", is_flag=True, help="Write to a file that exists already.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(source: str, output: str | None, repair: bool, overwrite: bool, as_json: bool) -> int:
    """Bring a description to the newest format version of its type.

    What the newest version says in another way or can not say is listed, on standard error.
    With --repair a description that is invalid is mended first, and what was mended is listed too;
    what no version can read is kept under config.repaired.
    SOURCE is a file, folder, zip or URL; files that it names are not copied, so write beside them.
    Exit status 1 if it is invalid, or can not be repaired, or has no valid counterpart.
    """
    from ..api import default_registry, save_description, update_format
    from ..spec.converters import unstructured
    from ..spec.saving import description_yaml
    from ..spec.validation import ValidationReport

    reports: list[ValidationReport] = []
    descr = None
    try:
        descr = update_format(source, repair=repair, report=reports.append)
    except InvalidDescriptionError as error:
        if not isinstance(error.report, ValidationReport):
            raise
        reports.append(error.report)
        if not as_json:
            click.echo(f"bmz: {error}", err=True)
    issues = [{"path": i.path, "message": i.message, "severity": i.severity, "hint": i.hint} for i in reports[0].issues]
    if descr is not None and output is not None:
        save_description(descr, output, overwrite=overwrite)
    if as_json:
        result = {"source": reports[0].source, "status": "invalid", "issues": issues}
        if descr is not None:
            result |= {"status": "valid", "type": descr.type, "format_version": descr.format_version}
            result |= {"output": output} if output is not None else {"description": unstructured(descr, default_registry())}
        print_json(result)
        return 0 if descr is not None else 1
    if issues:
        click.echo(table([(f"  {i['severity']}", i["path"] or "(whole)", i["message"]) for i in issues]), err=True)
    if descr is None:
        return 1
    click.echo(
        description_yaml(descr, default_registry()) if output is None else f"{output}: {descr.type} {descr.format_version}",
        nl=output is not None,
    )
    return 0
