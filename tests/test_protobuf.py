"""Messages of Protocol Buffers, read without a schema."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.protobuf import ProtobufError, fields, integers, messages, number, text


def varint(value: int) -> bytes:
    """Return a number as the encoding has it: seven bits a byte, the lowest first."""
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def written(field: int, value: int | bytes) -> bytes:
    """Return a field of a number, or of bytes."""
    if isinstance(value, int):
        return varint(field << 3) + varint(value)
    return varint(field << 3 | 2) + varint(len(value)) + value


values = st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=40))
contents = st.lists(st.tuples(st.integers(1, 2**29 - 1), values), max_size=8)


class TestFields:
    def test_the_example_of_the_documentation(self) -> None:
        """Field 1 with the value 150 is 08 96 01; field 2 with the text 'testing' is 12 07 and the letters."""
        assert list(fields(bytes.fromhex("089601"))) == [(1, 150)]
        assert text(bytes.fromhex("120774657374696e67"), 2) == "testing"

    @given(contents)
    def test_what_is_written_is_read(self, content: list[tuple[int, int | bytes]]) -> None:
        """All fields come back in order, from bytes and from a view of them."""
        message = b"".join(written(*field) for field in content)
        assert list(fields(message)) == content
        assert [(n, v if isinstance(v, int) else bytes(v)) for n, v in fields(memoryview(message))] == content

    @given(st.binary(max_size=60))
    def test_any_bytes_are_read_or_refused(self, content: bytes) -> None:
        """No other error than ProtobufError, and no read beyond the end."""
        try:
            found = list(fields(content))
        except ProtobufError:
            return
        assert sum(len(v) for _, v in found if not isinstance(v, int)) <= len(content)

    @given(contents, st.data())
    def test_what_is_cut_off_within_a_field_is_refused(self, content: list[tuple[int, int | bytes]], data: st.DataObject) -> None:
        """A message without its last byte is broken."""
        if content:
            with pytest.raises(ProtobufError):
                list(fields(b"".join(written(*field) for field in content)[:-1]))

    def test_fixed_width(self) -> None:
        """Fields of 32 and 64 bits are their bytes."""
        message = varint(1 << 3 | 5) + b"abcd" + varint(2 << 3 | 1) + b"abcdefgh"
        assert list(fields(message)) == [(1, b"abcd"), (2, b"abcdefgh")]


class TestValues:
    def test_numbers(self) -> None:
        """Negative numbers are those of 64 bits; the last one of a field counts."""
        message = written(1, 5) + written(1, 2**64 - 3)
        assert (number(message, 1), number(message, 2), number(message, 2, default=-1)) == (-3, 0, -1)

    def test_packed_and_repeated_integers(self) -> None:
        """Both ways to write a list give the same."""
        packed = written(3, varint(1) + varint(300) + varint(7))
        repeated = written(3, 1) + written(3, 300) + written(3, 7)
        assert integers(packed, 3) == integers(repeated, 3) == (1, 300, 7)

    def test_a_number_where_a_message_is_expected(self) -> None:
        """It is refused, and so is text in another encoding."""
        with pytest.raises(ProtobufError, match="number"):
            list(messages(written(1, 5), 1))
        with pytest.raises(ProtobufError, match="UTF-8"):
            text(written(1, b"\xff"), 1)
