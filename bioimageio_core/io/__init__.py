"""Arrays in and out: images, zarr stores, axes."""

from .axes import LETTERS, parse_axes
from .chunk_store import ArraySpec, ChunkStore
from .image import Image
from .opening import open_image
from .output import OutputStore, continue_output, create_output, run_of_output
from .run_folder import RunFolder

__all__ = [
    "LETTERS",
    "ArraySpec",
    "ChunkStore",
    "Image",
    "OutputStore",
    "RunFolder",
    "continue_output",
    "create_output",
    "open_image",
    "parse_axes",
    "run_of_output",
]
