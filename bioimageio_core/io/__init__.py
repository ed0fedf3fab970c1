"""Arrays in and out: images, zarr stores, axes."""

from .axes import LETTERS, parse_axes
from .chunk_store import ArraySpec, ChunkStore
from .image import Image
from .opening import open_image
from .output import OutputStore, create_output
from .temporary import TemporaryStore, create_temporary

__all__ = [
    "LETTERS",
    "ArraySpec",
    "ChunkStore",
    "Image",
    "OutputStore",
    "TemporaryStore",
    "create_output",
    "create_temporary",
    "open_image",
    "parse_axes",
]
