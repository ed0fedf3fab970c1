"""The option `postprocessing`: ops that a user adds to those of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..errors import InputError
from ..registry.op_arguments import arguments_in_words
from ..typing import FrozenMapping

__all__ = ["AddedStep", "added_steps"]

EXPECTED = (
    "ops with their arguments, as in 'connected_components:threshold=0.5,min_size=20', "
    "or as in {'id': 'connected_components', 'kwargs': {'threshold': 0.5}}"
)


@attrs.frozen(kw_only=True)
class AddedStep:
    """An op that is added to the postprocessing of an output."""

    name: str
    kwargs: FrozenMapping[str, Any]
    output: str | None = None
    """Id of the output; None where the model has only one."""


def added_steps(value: Any) -> tuple[AddedStep, ...]:
    """Return the value of the option: one op or several, as text or as in descriptions; by id of the output if there are several.

    Raises:
        InputError: The value is something else.

    """
    if value is None:
        return ()
    if isinstance(value, Mapping) and "id" not in value:
        return tuple(attrs.evolve(step, output=str(output)) for output, steps in value.items() for step in added_steps(steps))
    listed = [value] if isinstance(value, str | Mapping | AddedStep) else value
    if not isinstance(listed, Sequence):
        raise _wrong(value)
    return tuple(_step(one, value) for one in listed)


def _wrong(value: object) -> InputError:
    return InputError(f"postprocessing= (--post) is {value!r:.80}: expected {EXPECTED}")


def _step(one: Any, value: Any) -> AddedStep:
    if isinstance(one, AddedStep):
        return one
    if isinstance(one, str):
        return _from_text(one)
    kwargs = one.get("kwargs", {}) if isinstance(one, Mapping) else None
    if not isinstance(kwargs, Mapping) or not isinstance(one.get("id"), str) or set(one) - {"id", "kwargs"}:
        raise _wrong(value)
    return AddedStep(name=one["id"], kwargs=FrozenMapping(kwargs))


def _from_text(text: str) -> AddedStep:
    """Return the op that a text names: ``[OUTPUT/]OP[:NAME=VALUE,...]``, with values as in YAML."""
    from ..errors import YamlError
    from ..spec.yaml import load_yaml

    op, _, arguments = text.partition(":")
    output, _, name = op.rpartition("/")
    kwargs: dict[str, Any] = {}
    for part in _parts(arguments):
        key, equals, written = part.partition("=")
        key = key.strip()
        if not key or not equals or key in kwargs:
            raise InputError(
                f"postprocessing= (--post) is {text!r}: expected NAME=VALUE, each name once, in place of {part!r}{_arguments_of(name)}"
            )
        try:
            kwargs[key] = load_yaml(f"value: {written.strip()}")["value"]
        except YamlError:
            raise InputError(
                f"postprocessing= (--post) is {text!r}: expected a value as in YAML for {key}, found {written!r}{_arguments_of(name)}"
            ) from None
    if not name.strip():
        raise _wrong(text)
    return AddedStep(name=name.strip(), kwargs=FrozenMapping(kwargs), output=output.strip() or None)


def _arguments_of(name: str) -> str:
    """Return the arguments of an installed op in words, for the end of a message; empty for others."""
    from ..registry import default_registry

    entry = default_registry().processing_ops.get(name.strip())
    return f"; {arguments_in_words(entry)}" if entry is not None and "0.5" in entry.descr else ""


def _parts(arguments: str) -> list[str]:
    """Split at commas that are not within brackets."""
    parts, depth = [""], 0
    for letter in arguments:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part.strip()]
