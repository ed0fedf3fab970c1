"""YAML 1.2 (core schema) on PyYAML's scanner, safe for untrusted input.

PyYAML resolves scalars by YAML 1.1 and builds recursively.
Here only its events are used: ``on``, ``yes`` and ``2021-09-09`` stay strings, ``1e-6`` is a number, ``010`` is ten, keys may not repeat,
and neither deep nesting nor aliases can exhaust the memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import attrs

from ..errors import YamlError
from .node import Loc

__all__ = ["Faults", "dump_yaml", "load_yaml", "scalar_of"]

MAX_DEPTH = 100
MAX_NODES = 200_000
"""Nodes after aliases are expanded; the largest descriptions that are known have some thousands."""

MAX_TAGS = 100
"""Directives ``%TAG``: libyaml compares each with all before."""

_NULL = frozenset(["", "~", "null", "Null", "NULL"])
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = {
    spelling: value
    for word, value in ((".inf", "inf"), ("-.inf", "-inf"), ("+.inf", "inf"), (".nan", "nan"))
    for spelling in (word, word.replace("inf", "Inf").replace("nan", "NaN"), word.upper())
}
_TAG = "tag:yaml.org,2002:"
_MAX_DIGITS = 250
"""Digits of a number: every such integer, also a hexadecimal one, is less than the largest float."""


@attrs.define
class Faults:
    """Faults of a document that a lenient reader accepts."""

    repeated: list[tuple[Loc, Any]] = attrs.field(factory=list)
    """Path of a repeated key, and the value that was replaced."""

    documents: list[Any] = attrs.field(factory=list)
    """Documents after the first."""


def load_yaml(
    text: str | bytes, *, source: str = "", faults: Faults | None = None, watch: Callable[[Any], None] | None = None
) -> dict[str, Any]:
    """Read one YAML 1.2 document whose top level is a mapping.

    Dates are left as strings.
    Lists and mappings repeated by an alias are shared between the places where they occur.

    Args:
        text: The document; bytes are UTF-8, with or without a byte order mark.
        source: What to call the document in errors.
        faults: Where what is left out is collected: repeated keys, of which the last is taken, and further documents;
            None: both are refused.
        watch: Called with each event of PyYAML as it is read.

    Raises:
        YamlError: The text is not YAML, repeats a key, nests or expands beyond reason, or holds no mapping.

    """
    import yaml

    where = f"{source}: " if source else ""
    try:
        events = _events(text)
        tree = _Builder(events if watch is None else _watched(events, watch), faults=faults).document()
    except UnicodeError as error:
        raise YamlError(f"{where}expected text in UTF-8, found other bytes ({error})") from None
    except _Refused as error:
        raise YamlError(f"{where}{error}", error.line, error.column) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        message = f"{where}{line}expected valid YAML, {_one_line(error.problem or error.context or 'found none')}"
        raise YamlError(message, *((mark.line + 1, mark.column + 1) if mark else ())) from None
    except yaml.YAMLError as error:
        raise YamlError(f"{where}expected valid YAML, {_one_line(str(error))}") from None
    if not isinstance(tree, dict):
        raise YamlError(f"{where}expected a mapping at the top level, found {_kind(tree)}")
    for key in tree:
        if not isinstance(key, str):
            raise YamlError(f"{where}expected strings as keys of the top level, found {key!r}")
    return tree


def _events(text: str | bytes) -> Iterator[Any]:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    tags = len(re.findall("^%TAG", decoded, re.MULTILINE))
    if tags > MAX_TAGS:
        raise _Refused(None, f"expected at most {MAX_TAGS} directives %TAG, found {tags}")
    events: Iterator[Any] = yaml.parse(decoded, Loader=loader)
    return events


def _watched(events: Iterator[Any], watch: Callable[[Any], None]) -> Iterator[Any]:
    for event in events:
        yield event
        watch(event)


def dump_yaml(tree: Any) -> str:
    """Write a tree of mappings, sequences and scalars so that `load_yaml`, and readers of YAML 1.1, read back the same.

    Block style, keys in the order of the mapping, non-ASCII characters as they are, ``|`` for text of several lines.
    """
    import yaml

    written: str = yaml.dump(
        _plain(tree), Dumper=_dumper(), sort_keys=False, allow_unicode=True, default_flow_style=False, width=120, encoding=None
    )
    return written


class _Refused(Exception):
    """Well-formed YAML that is refused; the message starts with the line."""

    def __init__(self, event: Any, message: str) -> None:
        mark = getattr(event, "start_mark", None)
        self.line: int | None = mark.line + 1 if mark else None
        self.column: int | None = mark.column + 1 if mark else None
        super().__init__(f"line {mark.line + 1}: {message}" if mark else message)


@attrs.define
class _Frame:
    """A mapping or sequence under construction."""

    value: Any
    anchor: str | None
    size: int = 1
    key: Any = None
    has_key: bool = False


@attrs.define
class _Builder:
    events: Iterator[Any]
    anchors: dict[str, tuple[Any, int] | None] = attrs.field(factory=dict)
    """Value and expanded size; None while the node is still open."""

    faults: Faults | None = None

    def document(self) -> Any:
        import yaml

        stack: list[_Frame] = []
        root: Any = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1 and self.faults is None:
                    raise _Refused(event, "expected a single document, found another one")
            elif isinstance(event, yaml.MappingStartEvent):
                stack.append(self._open(event, len(stack), {}))
            elif isinstance(event, yaml.SequenceStartEvent):
                stack.append(self._open(event, len(stack), []))
            elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent, yaml.CollectionEndEvent)):
                value, size = self._value(event, stack)
                if stack:
                    self._check_key(stack, value, event)
                    _add(stack[-1], value, size, event)
                elif root is None:
                    root = value
                elif self.faults is not None and value is not None:
                    self.faults.documents.append(value)
        return root

    def _check_key(self, stack: list[_Frame], key: Any, event: Any) -> None:
        """Refuse a key that is not a scalar, and refuse or record one that is repeated."""
        frame = stack[-1]
        if isinstance(frame.value, list) or frame.has_key:
            return
        if isinstance(key, (dict, list)):
            raise _Refused(event, f"expected a scalar as key, found {_kind(key)}")
        if key not in frame.value:
            return
        if self.faults is None:
            raise _Refused(event, f"expected distinct keys, found {key!r} more than once")
        loc = (*(len(f.value) if isinstance(f.value, list) else f.key for f in stack[:-1]), key)
        self.faults.repeated.append((loc, frame.value[key]))

    def _value(self, event: Any, stack: list[_Frame]) -> tuple[Any, int]:
        """Return the value that the event completes, and its expanded size."""
        import yaml

        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if isinstance(event, yaml.ScalarEvent):
            value, size, anchor = scalar_of(event), 1, event.anchor
        else:
            frame = stack.pop()
            value, size, anchor = frame.value, frame.size, frame.anchor
        if anchor is not None:
            self.anchors[anchor] = (value, size)
        return value, size

    def _open(self, event: Any, depth: int, empty: Any) -> _Frame:
        if depth >= MAX_DEPTH:
            raise _Refused(event, f"expected at most {MAX_DEPTH} levels of nesting, found more")
        if event.tag not in (None, "!", _TAG + ("seq" if empty == [] else "map")):
            raise _Refused(event, f"expected a plain {_kind(empty)}, found the tag {event.tag!r}")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        return _Frame(empty, event.anchor)

    def _alias(self, event: Any) -> tuple[Any, int]:
        if event.anchor not in self.anchors:
            raise _Refused(event, f"expected the name of an anchor that comes before, found {event.anchor!r}")
        known = self.anchors[event.anchor]
        if known is None:
            raise _Refused(event, f"expected a value of finite size, found {event.anchor!r} within itself")
        return known


def _add(frame: _Frame, value: Any, size: int, event: Any) -> None:
    frame.size += size
    if frame.size > MAX_NODES:
        raise _Refused(event, f"expected at most {MAX_NODES} values once aliases are expanded, found more")
    if isinstance(frame.value, list):
        frame.value.append(value)
    elif frame.has_key:
        frame.value[frame.key] = value
        frame.has_key = False
    else:
        frame.key, frame.has_key = value, True


def scalar_of(event: Any) -> Any:
    """Return the value of an event of PyYAML, by the core schema."""
    text: str = event.value
    tag = event.tag
    if tag is None:
        return _resolve(text, event) if event.implicit[0] else text
    if tag in ("!", _TAG + "str"):
        return text
    if tag in (_TAG + "int", _TAG + "float", _TAG + "bool", _TAG + "null"):
        value = _resolve(text, event)
        if tag == _TAG + "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if _kind(value) == tag.removeprefix(_TAG):
            return value
    raise _Refused(event, f"expected a scalar of the YAML 1.2 core schema, found the tag {tag!r} on {text[:40]!r}")


def _resolve(text: str, event: Any) -> Any:
    if text in _NULL:
        return None
    first = text[0]
    if first not in "+-.0123456789tTfF":
        return text
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise _Refused(event, f"expected a number of at most {_MAX_DIGITS} digits, found {len(text)}")
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)
    if _FLOAT.fullmatch(text):
        return float(text)
    if text in _SPECIAL_FLOAT:
        return float(_SPECIAL_FLOAT[text])
    return text


def _kind(value: object) -> str:
    kinds = {dict: "mapping", list: "list", str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}
    return kinds.get(type(value), type(value).__name__)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(tree: Any) -> Any:
    """Copy the tree into new dicts and lists: shared parts are written twice and not as aliases."""
    if hasattr(tree, "items"):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_plain(value) for value in tree]
    return tree


@cache
def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes strings that YAML 1.1 or 1.2 would read as another type."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            return super().increase_indent(flow, False)

    def represent_str(dumper: Any, text: str) -> Any:
        lines = text.split("\n")
        is_block = len(lines) > 1 and all(line == line.rstrip() and line.isprintable() for line in lines) and not text[0].isspace()
        is_odd = any(not (character.isprintable() or character == "\n") for character in text)
        return dumper.represent_scalar(_TAG + "str", text, style='"' if is_odd else "|" if is_block else None)

    def represent_float(dumper: Any, value: float) -> Any:
        if value != value or value in (float("inf"), float("-inf")):
            return dumper.represent_scalar(_TAG + "float", ".nan" if value != value else ".inf" if value > 0 else "-.inf")
        text = repr(value)
        if "e" in text and "." not in text:  # readers of YAML 1.1 want a point
            text = text.replace("e", ".0e")
        return dumper.represent_scalar(_TAG + "float", text)

    Dumper.add_representer(str, represent_str)
    Dumper.add_representer(float, represent_float)
    for tag, pattern in (("float", _FLOAT.pattern), ("int", _INT.pattern)):
        Dumper.add_implicit_resolver(_TAG + tag, re.compile(rf"^(?:{pattern})$"), list("-+.0123456789"))
    return Dumper
