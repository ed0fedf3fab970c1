"""Building blocks of description classes: validators, and string types that ops and models share.

Validators are plain attrs validators ``(instance, attribute, value) -> None`` that raise ValueError ("expected ..., found ...").
All of them accept None: the type of the field decides whether null is allowed.

Types are ``Annotated[base, check, ...]``: structuring a document converts to the base, then applies every check in order;
a check returns the (normalised) value or raises ValueError.

Each check is marked with the JSON Schema of what it accepts (`constraints.json_schema`).
"""

from __future__ import annotations

import keyword
import operator
import re
from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from ..structuring.format_value import format_value
from .constraints import anchored, caseless, json_schema, schema_of

__all__ = [
    "AxisId",
    "DType",
    "Identifier",
    "NonBatchAxisId",
    "TensorId",
    "TensorName",
    "Validator",
    "all_of",
    "each",
    "file_name",
    "format_value",
    "in_range",
    "length",
    "matches",
    "non_empty",
    "suffix",
    "unique",
]

T = TypeVar("T")
Validator: TypeAlias = "Callable[[Any, Any, T], None]"

DType: TypeAlias = Literal["float32", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "bool"]
"""The data types of format 0.5."""


def in_range(
    minimum: float | None = None,
    maximum: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
) -> Validator[Any]:
    """Accept numbers with ``minimum <= value <= maximum`` and ``above < value < below``; each bound may be left out."""
    bounds = ((">=", minimum, operator.ge), (">", above, operator.gt), ("<=", maximum, operator.le), ("<", below, operator.lt))
    given = [(bound, holds) for _, bound, holds in bounds if bound is not None]
    words = " and ".join(f"{sign} {bound}" for sign, bound, _ in bounds if bound is not None)
    keywords = {"minimum": minimum, "exclusiveMinimum": above, "maximum": maximum, "exclusiveMaximum": below}

    @json_schema({keyword: bound for keyword, bound in keywords.items() if bound is not None})
    def validate(_instance: Any, _attribute: Any, value: Any) -> None:
        if value is not None and not all(holds(value, bound) for bound, holds in given):
            raise ValueError(f"expected a number {words}, found {format_value(value)}")

    return validate


def length(minimum: int = 0, maximum: int | None = None) -> Validator[Any]:
    """Accept strings, tuples and mappings whose length is within the bounds, both included."""
    words = f"at least {minimum}" if maximum is None else f"at most {maximum}" if not minimum else f"{minimum} to {maximum}"

    @json_schema(_lengths(minimum, maximum))
    def validate(_instance: Any, _attribute: Any, value: Any) -> None:
        if isinstance(value, (str, Collection)) and (len(value) < minimum or (maximum is not None and len(value) > maximum)):
            unit = "characters" if isinstance(value, str) else "items"
            raise ValueError(f"expected {words} {unit}, found {len(value)}")

    return validate


def _lengths(minimum: int, maximum: int | None) -> dict[str, int]:
    least = {f"min{what}": minimum for what in ("Length", "Items", "Properties") if minimum}
    return least if maximum is None else least | {f"max{what}": maximum for what in ("Length", "Items", "Properties")}


@json_schema(_lengths(1, None))
def non_empty(_instance: Any, _attribute: Any, value: Any) -> None:
    """Accept strings, tuples and mappings that hold something."""
    if isinstance(value, Collection) and not len(value):
        kind = "string" if isinstance(value, str) else "mapping" if hasattr(value, "items") else "list"
        raise ValueError(f"expected a non-empty {kind}, found an empty one")


@json_schema({"uniqueItems": True, "pattern": r"^(?!.*(.).*\1)"})
def unique(_instance: Any, _attribute: Any, value: Any) -> None:
    """Accept tuples and strings whose items differ from each other."""
    if isinstance(value, Collection):
        seen = _Seen()
        for item in value:
            if item in seen:
                raise ValueError(f"expected distinct items, found {format_value(item)} more than once")
            seen.add(item)


class _Seen:
    """Values that were seen; those that can be hashed are found at once."""

    def __init__(self) -> None:
        self._hashed: set[Any] = set()
        self._others: list[Any] = []

    def __contains__(self, item: Any) -> bool:
        try:
            return item in self._hashed
        except TypeError:  # it holds a list or a mapping
            return item in self._others

    def add(self, item: Any) -> None:
        try:
            self._hashed.add(item)
        except TypeError:
            self._others.append(item)


def matches(pattern: str, expected: str) -> Validator[Any]:
    """Accept strings that match the entire regular expression; ``expected`` describes it in error messages."""
    compiled = re.compile(pattern)

    @json_schema({"pattern": anchored(pattern)})
    def validate(_instance: Any, _attribute: Any, value: Any) -> None:
        if isinstance(value, str) and compiled.fullmatch(value) is None:
            raise ValueError(f"expected {expected}, found {format_value(value)}")

    return validate


def file_name(source: str) -> str:
    """Return a file source without the query and fragment of a URL."""
    if not re.match(r"https?:", source, re.IGNORECASE):
        return source
    return re.split(r"[?#]", source, maxsplit=1)[0].removesuffix("/content")


def suffix(*suffixes: str, any_case: bool = False) -> Validator[Any]:
    """Accept file sources (strings, or nodes with a field ``source``) whose file name ends in one of ``suffixes``."""
    ends = "|".join(re.escape(end) for end in suffixes)
    ends = f"(?:{caseless(ends) if any_case else ends})"
    url = r"\s*" + caseless("https?:")
    pattern = anchored(rf"(?!{url}).*{ends}|{url}[^?#]*{ends}(?:/content)?(?:[?#].*|\s*)")

    @json_schema({"pattern": pattern, "properties": {"source": {"pattern": pattern}}})
    def validate(_instance: Any, _attribute: Any, value: Any) -> None:
        source = getattr(value, "source", value)
        if not isinstance(source, str):
            return
        name = file_name(source)
        if not (name.lower() if any_case else name).endswith(suffixes):
            raise ValueError(f"expected a file name ending in {' or '.join(suffixes)}, found {format_value(source)}")

    return validate


def each(*validators: Validator[Any]) -> Validator[Any]:
    """Apply the validators to every item of a tuple."""

    @json_schema({"items": _together(validators)})
    def validate(instance: Any, attribute: Any, value: Any) -> None:
        if not isinstance(value, tuple):
            return
        for index, item in enumerate(value):
            for validator in validators:
                try:
                    validator(instance, attribute, item)
                except ValueError as error:
                    raise ValueError(f"item {index}: {error}") from None

    return validate


def all_of(*validators: Validator[Any]) -> Validator[Any]:
    """Apply the validators one after the other; the first that fails raises."""

    @json_schema(_together(validators))
    def validate(instance: Any, attribute: Any, value: Any) -> None:
        for validator in validators:
            validator(instance, attribute, value)

    return validate


def _together(validators: tuple[Validator[Any], ...]) -> dict[str, Any]:
    said = [part for part in map(schema_of, validators) if part]
    return said[0] if len(said) == 1 else {"allOf": said} if said else {}


def _identifier_but(words: Sequence[str]) -> str:
    """Return a pattern for identifiers except some words; beyond ASCII it accepts more than the checks."""
    return anchored(rf"(?!(?:{'|'.join(words)})$)[^\s!-@\[-^`{{-~][^\s!-/:-@\[-^`{{-~]*")


@json_schema({"pattern": _identifier_but(keyword.kwlist)})
def _identifier(value: str) -> str:
    if not value.isidentifier() or keyword.iskeyword(value):
        raise ValueError(f"expected an identifier (letters, digits, underscores, no keyword), found {format_value(value)}")
    return value


@json_schema({"pattern": _identifier_but(keyword.kwlist), "maxLength": 32})
def _tensor_id(value: str) -> str:
    if len(value) > 32:
        raise ValueError(f"expected a tensor id of at most 32 characters, found {format_value(value)}")
    return _identifier(value)


_AXIS_ALIASES = {"b": "batch", "t": "time", "i": "index", "c": "channel", "s": "channel"}


@json_schema({"pattern": _identifier_but([word for word in keyword.kwlist if word.islower()]), "maxLength": 16})
def _axis_id(value: str) -> str:
    lower = value.lower()
    normal = _AXIS_ALIASES.get(lower, lower)
    if len(normal) > 16:
        raise ValueError(f"expected an axis id of at most 16 characters, found {format_value(value)}")
    return _identifier(normal)


@json_schema({"not": {"pattern": anchored(caseless("b|batch"))}})
def _not_batch(value: str) -> str:
    if value == "batch":
        raise ValueError("expected the id of an axis other than batch, found 'batch'")
    return value


Identifier: TypeAlias = Annotated[str, _identifier]
"""A Python identifier that is no keyword."""

TensorName: TypeAlias = Annotated[str, _identifier]
"""Name of a tensor in format 0.4."""

TensorId: TypeAlias = Annotated[str, _tensor_id]
"""Id of a tensor in format 0.5: an identifier of at most 32 characters."""

AxisId: TypeAlias = Annotated[str, _axis_id]
"""Id of an axis in format 0.5, normalised: lower case; b, t, i, c and s become batch, time, index, channel and channel."""

NonBatchAxisId: TypeAlias = Annotated[str, _axis_id, _not_batch]
"""An `AxisId` other than ``batch``."""
