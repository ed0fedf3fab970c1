"""Arrays in and out: images and zarr stores."""

from .reading.image import Image
from .reading.image_opening import open_image
from .writing.chunk_store import ArraySpec, ChunkStore
from .writing.output_store import OutputStore, continue_output, create_output, holds_something, run_of_output
from .writing.run_state import RunState

__all__ = [
    "ArraySpec",
    "ChunkStore",
    "Image",
    "OutputStore",
    "RunState",
    "continue_output",
    "create_output",
    "holds_something",
    "open_image",
    "run_of_output",
]
