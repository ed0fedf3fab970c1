"""``bmz cache``."""

from __future__ import annotations

import click

from .common_options import json_option
from .terminal import bytes_in_words, print_json, say

__all__ = ["command"]


@click.group(invoke_without_command=True, epilog="Example: bmz cache clear")
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show the folder, number and size of the files that are cached from URLs.

    The environment variable BMZ_CACHE sets another folder. With BMZ_OFFLINE=1, only cached files are used.
    """
    if context.invoked_subcommand is not None:
        return
    from ..sources.cache import cache_from_environment

    cache = cache_from_environment()
    size = cache.size()
    if as_json:
        print_json({"path": str(cache.folder), "files": size.files, "bytes": size.bytes, "offline": cache.offline})
    else:
        say(f"{cache.folder}: {size.files} files, {bytes_in_words(size.bytes)}{', offline' if cache.offline else ''}")


@command.command()
@json_option
def clear(as_json: bool) -> None:
    """Remove all cached files; they are downloaded again when they are needed."""
    from ..sources.cache import cache_from_environment

    cache = cache_from_environment()
    size = cache.clear()
    if as_json:
        print_json({"path": str(cache.folder), "files": size.files, "bytes": size.bytes})
    else:
        say(f"{cache.folder}: removed {size.files} files, {bytes_in_words(size.bytes)}")
