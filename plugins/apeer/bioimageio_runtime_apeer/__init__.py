"""Models as modules of APEER: a folder that becomes a container, with what it takes and gives, and a script that runs in it."""

from __future__ import annotations

from collections.abc import Iterator

from bioimageio_core.registry import ForeignFormat, ForeignFormatEntry, ForeignFormatWriter, hookimpl

__all__ = ["bioimageio_foreign_formats"]


@hookimpl
def bioimageio_foreign_formats() -> Iterator[ForeignFormatEntry]:
    """Yield the format."""
    yield ForeignFormatEntry(
        name="apeer",
        patterns=("*",),
        load=_load,
        load_writer=_load_writer,
        writer_options={
            "weights_formats": "the weights to put into the module, as [onnx, torchscript]; those that run fastest if not given",
            "base_image": "the image that the container is built on; python:3.12-slim if not given",
            "gpu": "true: the module asks for a GPU and runs on it; false if not given",
            "trust": "true: code that comes with the model runs in the module; false if not given",
        },
        summary="container module of APEER: Dockerfile, module_specification.json and an entry script",
    )


def _load() -> ForeignFormat:
    from .reading import Apeer

    return Apeer()


def _load_writer() -> ForeignFormatWriter:
    from .writing import write_apeer

    return write_apeer
