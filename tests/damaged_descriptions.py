"""Ways to damage a description, for laws that hold however it is damaged."""

from __future__ import annotations

import copy
from typing import Any

import attrs
from hypothesis import strategies as st

KEYS = (
    "a", "name", "id", "type", "axes", "size", "halo", "kwargs", "source", "sha256", "doi", "url", "min", "step", "config", "description",
    "test_tensor", "shape", "scale", "offset", "reference_tensor", "parent", "opset_version", "version", "unit", "format_version", "data",
    "range", "mode", "eps", "authors", "axis", "dtype", "values", "channel_names",
)  # fmt: skip

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 9, 1.5, -0.5, float("nan"), float("inf"), 10**30, "", "a", "abc def", "batch", "Batch", "x", "y", "c",
    "channel", "input", "raw", "1e9", "3", "0.5", "true", "2024-01-01", "2024-01-01T00:00:00", "a.npy", "a/b.png", "README.md", "../a.npy",
    "/nowhere/a.npy", "https://example.com/a.md", "https://example.com", "example", "float32", "uint8", "bcyx", "0000-0001-2345-6789",
    "MIT", "10.1234/abc", "me@example.com", "A-b", "per_sample", "1.2.3", "0.5.2", "onnx", "torchscript", "🦀", "ä", " b",
)  # fmt: skip

HUGE: tuple[str, ...] = ("long text", "long list", "wide mapping", "deep list", "deep mapping", "long number")
"""Names of values that are made when they are wanted, since they print badly."""

ACTIONS = ("remove", "replace", "replace", "retype", "retype", "rename", "nest", "add", "repeat", "copy", "huge")

SMALL = st.recursive(
    st.sampled_from(VALUES) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=5,
)


@attrs.frozen
class Damage:
    """One change: the way to the value by position, what happens to it, and what that needs."""

    way: tuple[int, ...]
    action: str
    key: str
    value: Any
    choice: int
    huge: str


DAMAGES = st.lists(
    st.builds(
        Damage,
        st.lists(st.integers(0, 40), min_size=1, max_size=7).map(tuple),
        st.sampled_from(ACTIONS),
        st.sampled_from(KEYS),
        SMALL,
        st.integers(0, 11),
        st.sampled_from(HUGE),
    ),
    min_size=1,
    max_size=2,
)


def damaged(tree: dict[str, Any], damages: list[Damage]) -> dict[str, Any]:
    """Return a changed copy of a description."""
    root = {"": copy.deepcopy(tree)}
    for damage in damages:
        _apply(root[""], damage)
    return root[""]


def _apply(tree: Any, damage: Damage) -> None:
    """Follow the way as far as it leads, then change what is there."""
    place, key = tree, None
    for turn in damage.way:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            break
        place, key = tree, keys[turn % len(keys)]
        if not isinstance(place[key], (dict, list)):
            break
        tree = place[key]
    if key is None:
        return
    if damage.action == "remove":
        del place[key]
    elif damage.action in ("rename", "add", "copy", "repeat"):
        _add(place, key, damage)
    else:
        place[key] = _changed(place[key], damage)


def _add(place: Any, key: Any, damage: Damage) -> None:
    """Give a value another key, or add one."""
    if isinstance(place, list):
        place.insert(key, copy.deepcopy(place[key]))
    elif damage.action == "rename":
        place[damage.key] = place.pop(key)
    else:
        place[damage.key] = copy.deepcopy(damage.value if damage.action == "add" else place[key])


def _changed(value: Any, damage: Damage) -> Any:
    if damage.action == "retype":
        return retyped(value, damage.choice)
    if damage.action == "nest":
        return [value] if damage.choice % 2 else {damage.key: value}
    return huge(damage.huge) if damage.action == "huge" else copy.deepcopy(damage.value)


def retyped(value: Any, choice: int) -> Any:
    """Return a value of another type or another value of the same type."""
    if isinstance(value, bool):
        others: list[Any] = [str(value), int(value), not value]
    elif isinstance(value, (int, float)):
        others = [str(value), float(value) if abs(value) < 1e300 else value, [value], -value, value + 1, value * 2, bool(value)]
    elif isinstance(value, str):
        others = [[value], {"source": value}, value.upper(), value + " ", " " + value, value[:-1], value * 2, value + "/", len(value), None]
    elif isinstance(value, list):
        others = [value[0] if value else None, value[::-1], value * 2, {str(i): item for i, item in enumerate(value)}, value[1:], value[:1]]
    elif isinstance(value, dict):
        others = [list(value), list(value.values()), [value], dict(list(value.items())[1:])]
    else:
        others = [[], {}, "", 0]
    return others[choice % len(others)]


def huge(name: str) -> Any:
    """Return a value that costs a lot if it is handled without care."""
    if name == "long text":
        return "a" * 100_000
    if name == "long list":
        return [1] * 10_000
    if name == "wide mapping":
        return {f"key{index}": index for index in range(10_000)}
    if name == "long number":
        return 10**4000
    value: Any = 1
    for _ in range(80):
        value = [value] if name == "deep list" else {"a": value}
    return value
