"""Arrays in and out: images and zarr stores.

Public for plugins: what readers and writers of image files are made of.
"""

from .locations import local_path
from .reading.image import Image
from .reading.image_opening import open_image
from .reading.image_reader import ImageReader, lazy_image
from .reading.scenes import FOR_ALL, Scene, SceneChoice, check_single, choose_scene
from .writing.chunk_store import ArraySpec, ChunkStore
from .writing.image_writer import ImageLayout, ImageLevel, ImageWriter, ReadRegion
from .writing.output_store import OutputStore, continue_output, create_output, holds_something, run_of_output
from .writing.run_state import RunState

__all__ = [
    "FOR_ALL",
    "ArraySpec",
    "ChunkStore",
    "Image",
    "ImageLayout",
    "ImageLevel",
    "ImageReader",
    "ImageWriter",
    "OutputStore",
    "ReadRegion",
    "RunState",
    "Scene",
    "SceneChoice",
    "check_single",
    "choose_scene",
    "continue_output",
    "create_output",
    "holds_something",
    "lazy_image",
    "local_path",
    "open_image",
    "run_of_output",
]
