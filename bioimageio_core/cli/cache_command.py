"""``bmz cache``."""

from __future__ import annotations

import click

from .terminal import bytes_in_words, print_json

__all__ = ["command"]

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print for machines.")


@click.group(invoke_without_command=True, epilog="Example: bmz cache clear")
@_AS_JSON
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show where files from URLs are kept, and how many.

    The environment variable BMZ_CACHE names another folder; with BMZ_OFFLINE=1 nothing is fetched that is not there.
    """
    if context.invoked_subcommand is not None:
        return
    from ..sources.cache import cache_from_environment

    cache = cache_from_environment()
    size = cache.size()
    if as_json:
        print_json({"path": str(cache.folder), "files": size.files, "bytes": size.bytes, "offline": cache.offline})
    else:
        click.echo(f"{cache.folder}: {size.files} files, {bytes_in_words(size.bytes)}{', offline' if cache.offline else ''}")


@command.command()
@_AS_JSON
def clear(as_json: bool) -> None:
    """Remove all that is kept; it is fetched again when it is needed."""
    from ..sources.cache import cache_from_environment

    cache = cache_from_environment()
    size = cache.clear()
    if as_json:
        print_json({"path": str(cache.folder), "files": size.files, "bytes": size.bytes})
    else:
        click.echo(f"{cache.folder}: removed {size.files} files, {bytes_in_words(size.bytes)}")
