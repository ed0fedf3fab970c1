"""Options of the writers, which come as YAML reads them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from .czann import TYPES
from .czmodel import COLOR_HANDLING, PIXEL_TYPES
from .versions import Container, FileVersion, choose_version

__all__ = ["Options", "read_options"]


@attrs.frozen(kw_only=True)
class Options:
    """The options of the user; None: the value of the model, or the default."""

    version: FileVersion
    name: str | None = None
    id: str | None = None
    license_file: Path | None = None
    test_image: Path | None = None
    output: str | None = None
    spatial_dims: tuple[int, ...] | None = None
    border: int | None = None
    classes: tuple[str, ...] | None = None
    probabilities: str | None = None
    statistics: str | None = None
    rgb_to_bgr: bool | None = None
    input_maximum: float | None = None
    type: str | None = None
    scaling: tuple[float, ...] | None = None
    pixel_type: tuple[str, ...] | None = None
    color_handling: str | None = None


def read_options(container: Container, given: Mapping[str, Any]) -> Options:
    """Check options.

    Raises:
        ValueError: Some have values that make no sense; all are listed.

    """
    problems = []
    read: dict[str, Any] = {}
    chosen = {key: given.get(key) for key in ("file_version", "zen_blue", "zen_core")}
    try:
        read["version"] = choose_version(container, **chosen)
    except ValueError as error:
        problems.append(str(error))
    for key, value in given.items():
        if key in chosen or value is None:
            continue
        try:
            read[key] = _READERS[key](value)
        except (ValueError, TypeError) as error:
            problems.append(f"option {key}: {error}")
    files = [read[key].name for key in ("license_file", "test_image") if key in read]
    if len(files) != len({*files}):
        problems.append(f"license_file and test_image are both called {files[0]}: expected two names")
    if problems:
        raise ValueError("; ".join(problems))
    return Options(**read)


def _one_of(*known: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in known:
            raise ValueError(f"expected one of {', '.join(known)}, found {value!r}")
        return str(value)

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float) or not str(value).strip():
        raise ValueError(f"expected text, found {value!r}")
    return str(value)


def _uuid(value: Any) -> str:
    try:
        uuid.UUID(str(value))
    except ValueError:
        raise ValueError(f"expected a UUID, found {value!r}") from None
    return str(value)


def _file(value: Any) -> Path:
    path = Path(_text(value)).expanduser()
    if not path.is_file():
        raise ValueError(f"expected a file, found none at {value}")
    if path.suffix.lower() in (".json", ".xml", ".model"):
        raise ValueError(f"a file in it cannot be called {path.name}, as what it consists of is: expected another name")
    return path


def _whole(value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"expected an integer of at least {least}, found {value!r}")
    return value


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _sizes(value: Any) -> tuple[int, ...]:
    sizes = tuple(_whole(size, 1) for size in _list(value))
    if len(sizes) not in (2, 3):
        raise ValueError(f"expected sizes of y, x or of z, y, x, found {len(sizes)}")
    return sizes


def _positive(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not 0 < number < float("inf"):
        raise ValueError(f"expected a number above 0, found {value!r}")
    return number


def _scaling(value: Any) -> tuple[float, ...]:
    numbers = tuple(_positive(one) for one in _list(value))
    if len(numbers) not in (2, 3):
        raise ValueError(f"expected metres along x, y or x, y, z, found {len(numbers)}")
    return numbers


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {value!r}")
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": _text,
    "id": _uuid,
    "license_file": _file,
    "test_image": _file,
    "output": _text,
    "spatial_dims": _sizes,
    "border": lambda value: _whole(value, 0),
    "classes": lambda value: tuple(_text(one) for one in _list(value)),
    "probabilities": _one_of("softmax", "background", "as_is"),
    "statistics": _one_of("block"),
    "rgb_to_bgr": _flag,
    "input_maximum": _positive,
    "type": _one_of(*TYPES),
    "scaling": _scaling,
    "pixel_type": lambda value: tuple(_one_of(*PIXEL_TYPES)(one) for one in _list(value)),
    "color_handling": _one_of(*COLOR_HANDLING),
}
