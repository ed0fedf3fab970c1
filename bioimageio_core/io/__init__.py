"""Arrays in and out: images, zarr stores, axes."""

from .axes import LETTERS, parse_axes
from .chunk_store import ArraySpec, ChunkStore
from .image import Image
from .ome_zarr import multiscale_attributes
from .opening import open_image
from .output import OutputStore, create_output, open_unfinished_output
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
    "multiscale_attributes",
    "open_image",
    "open_unfinished_output",
    "parse_axes",
]
