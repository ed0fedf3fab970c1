"""``model.json`` of a ``.czann`` file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import attrs

from bioimageio_core.text import in_brief

__all__ = ["TYPES", "CzannMetadata", "dump_czann", "parse_czann", "parse_json"]

TYPES = (
    "SingleClassInstanceSegmentation",
    "MultiClassInstanceSegmentation",
    "SingleClassSemanticSegmentation",
    "MultiClassSemanticSegmentation",
    "SingleClassClassification",
    "MultiClassClassification",
    "ObjectDetection",
    "Regression",
)

FORMAT_VERSIONS = ("1.0.0", "1.1.0", "2.0.0", "2.1.0")

LARGEST_SIZE = 2**31 - 1


@attrs.frozen(kw_only=True)
class CzannMetadata:
    """The content of ``model.json``; shapes are of y, x, channel, or z, y, x, channel."""

    id: str
    type: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    min_overlap: tuple[int, ...] | None = None
    """Along the axes in space: twice the border."""

    classes: tuple[str, ...] | None = None
    model_name: str | None = None
    scaling: tuple[float, ...] | None = None
    """Of x, y (and z), in metres."""

    format_version: str | None = None
    more: Mapping[str, Any] = attrs.field(factory=dict)
    """Keys that no version of the format names."""

    @property
    def border(self) -> tuple[int, ...]:
        """Pixels of context on either side, along the axes in space."""
        spatial = len(self.input_shape) - 1
        overlap = self.min_overlap or (0,)
        return tuple(-(-n // 2) for n in (overlap * spatial if len(overlap) == 1 else overlap))


KEYS = {
    "FormatVersion": "format_version",
    "Id": "id",
    "Type": "type",
    "InputShape": "input_shape",
    "OutputShape": "output_shape",
    "MinOverlap": "min_overlap",
    "Classes": "classes",
    "ModelName": "model_name",
    "Scaling": "scaling",
}
"""In the order in which they are written."""

REQUIRED = ("Id", "Type", "InputShape", "OutputShape")


def parse_json(content: bytes, name: str) -> Mapping[str, Any]:
    """Return an object of JSON.

    Raises:
        ValueError: It is something else.

    """

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is not a number of JSON")

    try:
        tree = json.loads(content.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is no JSON: {in_brief(error)}") from None
    if not isinstance(tree, dict):
        raise ValueError(f"{name}: expected an object, found {type(tree).__name__}")
    return tree


def parse_czann(content: bytes) -> CzannMetadata:
    """Read ``model.json``.

    Raises:
        ValueError: It is malformed, or no version of the format allows its content.

    """
    tree = parse_json(content, "model.json")
    missing = [key for key in REQUIRED if key not in tree]
    if missing:
        raise ValueError(f"model.json lacks {', '.join(missing)}: expected {', '.join(REQUIRED)}")
    found = CzannMetadata(
        id=_text(tree, "Id"),
        type=_one_of(tree, "Type", TYPES),
        input_shape=_sizes(tree, "InputShape", least=1, lengths=(3, 4)),
        output_shape=_sizes(tree, "OutputShape", least=1, lengths=(3, 4)),
        min_overlap=_sizes(tree, "MinOverlap", least=0, lengths=(1, 2, 3)) if _has(tree, "MinOverlap") else None,
        classes=_texts(tree, "Classes") if _has(tree, "Classes") else None,
        model_name=_text(tree, "ModelName") if _has(tree, "ModelName") else None,
        scaling=_scaling(tree) if _has(tree, "Scaling") else None,
        format_version=_one_of(tree, "FormatVersion", FORMAT_VERSIONS) if _has(tree, "FormatVersion") else None,
        more={key: value for key, value in tree.items() if key not in KEYS},
    )
    if found.min_overlap is not None and len(found.min_overlap) not in (1, len(found.input_shape) - 1):
        raise ValueError(
            f"model.json: expected MinOverlap for each of {len(found.input_shape) - 1} axes in space, found {list(found.min_overlap)}"
        )
    return found


def dump_czann(metadata: CzannMetadata) -> bytes:
    """Return ``model.json``."""
    tree = {key: getattr(metadata, field) for key, field in KEYS.items()}
    return json.dumps({**{key: value for key, value in tree.items() if value is not None}, **metadata.more}).encode()


def _has(tree: Mapping[str, Any], key: str) -> bool:
    return tree.get(key) is not None


def _wrong(key: str, expected: str, found: Any) -> ValueError:
    return ValueError(f"model.json: expected {key} to be {expected}, found {json.dumps(found)[:100]}")


def _text(tree: Mapping[str, Any], key: str) -> str:
    if not isinstance(tree[key], str):
        raise _wrong(key, "text", tree[key])
    return str(tree[key])


def _texts(tree: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = tree[key]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _wrong(key, "a list of texts", value)
    return tuple(value)


def _one_of(tree: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
    if tree[key] not in known:
        raise _wrong(key, f"one of {', '.join(known)}", tree[key])
    return str(tree[key])


def _sizes(tree: Mapping[str, Any], key: str, *, least: int, lengths: tuple[int, ...]) -> tuple[int, ...]:
    value = tree[key]
    whole = isinstance(value, list) and all(isinstance(n, int) and not isinstance(n, bool) for n in value)
    if not whole or len(value) not in lengths or not all(least <= n <= LARGEST_SIZE for n in value):
        raise _wrong(key, f"{' or '.join(map(str, lengths))} integers of at least {least}", value)
    return tuple(value)


def _scaling(tree: Mapping[str, Any]) -> tuple[float, ...]:
    value = tree["Scaling"]
    numbers = isinstance(value, list) and all(isinstance(n, int | float) and not isinstance(n, bool) for n in value)
    if not numbers or len(value) not in (2, 3) or not all(0 < n < float("inf") for n in value):
        raise _wrong("Scaling", "2 or 3 numbers above 0", value)
    return tuple(float(n) for n in value)
