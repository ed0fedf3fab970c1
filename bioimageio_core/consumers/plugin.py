"""The software that the library has rules for."""

from __future__ import annotations

from collections.abc import Iterable

from ..registry import ConsumerEntry, Judge, hookimpl

__all__ = ["bioimageio_consumers"]


@hookimpl
def bioimageio_consumers() -> Iterable[ConsumerEntry]:
    """Yield an entry for each piece of software."""
    yield ConsumerEntry(name="ilastik", load=lambda: _judge("ilastik"), summary="interactive segmentation, with networks since 1.4")
    yield ConsumerEntry(name="deepImageJ", load=lambda: _judge("deepImageJ"), summary="plugin of ImageJ that runs networks")
    yield ConsumerEntry(name="Fiji", load=lambda: _judge("Fiji"), summary="ImageJ with the CSBDeep plugins")
    yield ConsumerEntry(name="napari", load=lambda: _judge("napari"), summary="viewer in Python, with the plugin napari-bioimageio")
    yield ConsumerEntry(name="ZEN", load=_load_zen, summary="microscope software of ZEISS, which runs .czann files")


def _judge(name: str) -> Judge:
    from .package_readers import judge_formats

    return judge_formats(name)


def _load_zen() -> Judge:
    from .zen import judge_zen

    return judge_zen
