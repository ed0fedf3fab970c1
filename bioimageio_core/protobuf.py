"""Messages of Protocol Buffers, read field by field without a schema or a package.

ONNX graphs and TensorFlow's SavedModels are such messages.
The encoding: https://protobuf.dev/programming-guides/encoding/.
Public: readers of plugins use it likewise.

Every function takes `bytes` or a `memoryview` and returns parts of the same type, so that a view of a large file is never copied.
Broken messages raise `ProtobufError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

__all__ = ["ProtobufError", "fields", "integers", "messages", "number", "text"]

Buffer = TypeVar("Buffer", bytes, memoryview)

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
"""Wire types."""


class ProtobufError(ValueError):
    """A message of Protocol Buffers is broken or cut off, or is something else."""


def fields(message: Buffer) -> Iterator[tuple[int, int | Buffer]]:
    """Yield the number and the value of each field: an integer from 0 to 2^64 - 1 for a varint, else the bytes of it.

    Raises:
        ProtobufError: The message is broken.

    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if wire == DELIMITED:
            size, at = _varint(message, at)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise ProtobufError(f"a field has the unknown wire type {wire}")
        if at + size > len(message):
            raise ProtobufError("a field is longer than the message")
        yield tag >> 3, message[at : at + size]
        at += size


def messages(message: Buffer, field: int) -> Iterator[Buffer]:
    """Yield the values of a field that holds messages, strings or bytes.

    Raises:
        ProtobufError: The message is broken, or the field holds a number.

    """
    for found, value in fields(message):
        if found == field:
            if isinstance(value, int):
                raise ProtobufError(f"field {field} holds a number")
            yield value


def text(message: Buffer, field: int) -> str:
    """Return the last value of a field that holds strings, or an empty string.

    Raises:
        ProtobufError: The message is broken, or the value is not UTF-8.

    """
    value = b""
    for found in messages(message, field):
        value = bytes(found)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtobufError(f"field {field} is not text in UTF-8") from None


def number(message: Buffer, field: int, default: int = 0) -> int:
    """Return the last value of a field that holds numbers, read as int64, or the default.

    Raises:
        ProtobufError: The message is broken.

    """
    value = default
    for found, content in fields(message):
        if found == field and isinstance(content, int):
            value = content - (1 << 64) if content >> 63 else content
    return value


def integers(message: Buffer, field: int) -> tuple[int, ...]:
    """Return the values of a field that holds several unsigned integers, packed or not.

    Raises:
        ProtobufError: The message is broken.

    """
    found: list[int] = []
    for key, value in fields(message):
        if key != field:
            continue
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            one, at = _varint(value, at)
            found.append(one)
    return tuple(found)


def _varint(message: bytes | memoryview, at: int) -> tuple[int, int]:
    """Return a number, of which each byte holds seven bits, and the position behind it."""
    value = 0
    for place in range(10):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise ProtobufError("a number has no end")
