"""Zarr stores on servers, as they are read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import FsspecStore

__all__ = ["ReadOnlyStore"]


class ReadOnlyStore(FsspecStore):
    """A store that takes what the server refuses (403) for missing, as it is on S3 for users who may read but not list.

    An array whose metadata are refused does not open, and one whose access ends meanwhile is found to be gone by its readers.
    """

    refused = False
    """Whether the server refused something."""

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return the value of a key; None where it is missing or refused."""
        try:
            return await super().get(key, prototype, byte_range)
        except KeyError:  # of fsspec before 2025, for a name that an archive lacks
            return None
        except Exception as error:
            if not _is_refusal(error):
                raise
            self.refused = True
            return None

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of values; None for what is missing or refused."""
        wanted = list(key_ranges)
        try:
            return await super().get_partial_values(prototype, wanted)
        except Exception as error:
            if not (_is_refusal(error) or isinstance(error, KeyError)):
                raise
            return [await self.get(key, prototype, byte_range) for key, byte_range in wanted]


def _is_refusal(error: Any) -> bool:
    return isinstance(error, PermissionError) or getattr(error, "status", None) == 403
