"""Messages of Protocol Buffers, field by field: https://protobuf.dev/programming-guides/encoding/."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

__all__ = ["BROKEN", "Value", "fields", "integers", "messages", "number", "text"]

Value: TypeAlias = "int | bytes"

BROKEN = "its saved_model.pb is broken, or cut off"


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Yield the number and the value of each field: an int for a varint, else the bytes of it.

    Raises:
        ValueError: It is no message.

    """
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        kind = key & 7
        if kind == 0:
            value, position = _varint(message, position)
            yield key >> 3, value
            continue
        if kind == 2:
            length, position = _varint(message, position)
        else:
            length = {1: 8, 5: 4}.get(kind, -1)
        if length < 0 or position + length > len(message):
            raise ValueError(BROKEN)
        yield key >> 3, message[position : position + length]
        position += length


def messages(message: bytes, field: int) -> Iterator[bytes]:
    """Yield the values of a repeated field of messages or strings."""
    for found, value in fields(message):
        if found == field:
            if isinstance(value, int):
                raise ValueError(BROKEN)
            yield value


def text(message: bytes, field: int) -> str:
    """Return the last value of a string, or nothing.

    Raises:
        ValueError: It is no UTF-8, or the message is broken.

    """
    return [b"", *messages(message, field)][-1].decode("utf-8")


def number(message: bytes, field: int) -> int:
    """Return the last value of an int64, or 0."""
    found = [value for key, value in fields(message) if key == field and isinstance(value, int)]
    value = found[-1] if found else 0
    return value - (1 << 64) if value >> 63 else value


def integers(message: bytes, field: int) -> tuple[int, ...]:
    """Return the values of a repeated field of integers, packed or not."""
    found: list[int] = []
    for key, value in fields(message):
        if key == field and isinstance(value, int):
            found.append(value)
        elif key == field and isinstance(value, bytes):
            position = 0
            while position < len(value):
                one, position = _varint(value, position)
                found.append(one)
    return tuple(found)


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ValueError(BROKEN)
