"""A Sphinx directive that lists the processing ops with their arguments, as the installed plugins describe them."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

WORDS = {"float": "number", "int": "whole number", "str": "text", "bool": "true or false", "NoneType": "null"}


def listed_ops() -> str:
    """Return Markdown with a section for each op."""
    from bioimageio_core.api import default_registry

    entries = sorted(default_registry().processing_ops.values(), key=lambda entry: entry.name)
    return "\n".join(line for entry in entries for line in _op(entry))


def _op(entry: Any) -> Iterator[str]:
    from bioimageio_core.structuring.class_fields import fields_of, has_fields

    yield f"## `{entry.name}`\n"
    versions = ("Formats " if len(entry.descr) > 1 else "Format ") + " and ".join(sorted(entry.descr))
    where = "before and after" if len(entry.where) == 2 else "before" if entry.where == ("preprocessing",) else "after"
    run = "; part of the format, and run by a plugin" if entry.described_only else ""
    yield f"{entry.summary[:1].upper()}{entry.summary[1:]}. {versions}; {where} the network{run}.\n"
    cls = entry.descr[max(entry.descr)]
    kwargs = next((field.type for field in fields_of(cls) if field.key == "kwargs"), None)
    for number, variant in enumerate(filter(has_fields, _variants(kwargs))):
        rows = [f for f in fields_of(variant) if not f.is_constant]
        if not rows:
            continue
        if number:
            yield "or\n"
        yield "| argument | type | default |"
        yield "|---|---|---|"
        for field in rows:
            default = field.default_value()
            shown = "required" if field.required else "" if default is attrs.NOTHING else f"`{_plain(default)}`"
            yield f"| `{field.key}` | {_words(field.type)} | {shown} |"
        yield ""


def _variants(kwargs: Any) -> tuple[Any, ...]:
    """Return the classes of arguments that an op takes."""
    if get_origin(kwargs) in (Union, types.UnionType):
        return tuple(one for one in get_args(kwargs) if one is not type(None))
    return () if kwargs is None else (kwargs,)


def _words(type_: Any) -> str:
    """Return a type as authors of descriptions write its values."""
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return _words(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_words(one) for one in arguments))
    if origin in (tuple, list, set, frozenset):
        inner = [one for one in arguments if one is not Ellipsis]
        return "list of " + " or ".join(dict.fromkeys(_plural(_words(one)) for one in inner))
    if getattr(type_, "__supertype__", None) is not None:
        return _words(type_.__supertype__)
    return WORDS.get(getattr(type_, "__name__", ""), getattr(type_, "__name__", str(type_)))


def _plural(words: str) -> str:
    first, _, rest = words.partition(" ")
    if first == "list":
        return f"lists {rest}"
    return f"{words}s" if words.endswith(("number", "text")) else words


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class ProcessingOps(SphinxDirective):
    """Lists the ops where it stands."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each op."""
        return self.parse_text_to_nodes(listed_ops(), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("processing-ops", ProcessingOps)
    return {"parallel_read_safe": True}
