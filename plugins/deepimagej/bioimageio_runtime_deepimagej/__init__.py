"""Models of deepImageJ: its files, its macros as an op, and its run mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import attrs

from bioimageio_core.registry import (
    ForeignFormat,
    ForeignFormatEntry,
    ForeignFormatWriter,
    Needs,
    ProcessingOpEntry,
    ProcessingOpFactory,
    RunMode,
    RunModeEntry,
    hookimpl,
)
from bioimageio_core.spec.node import Node, node
from bioimageio_core.typing import AxisId, FrozenMapping

__all__ = [
    "DeepimagejKwargs",
    "ImagejMacroDescr",
    "ImagejMacroDescrV04",
    "ImagejMacroKwargs",
    "bioimageio_foreign_formats",
    "bioimageio_processing_ops",
    "bioimageio_run_modes",
]


WRITER_OPTIONS: Any = FrozenMapping(
    {
        "layout": "yaml (deepImageJ 2 and 3, the default) or xml (deepImageJ 1)",
        "measure": "true: run the model once and write down time and memory",
    }
)


@node
class ImagejMacroKwargs(Node):
    """Arguments of `ImagejMacroDescr`."""

    macro: str
    """The text of the macro."""

    name: str = "macro"
    """Name of its file, for messages, and for functions that take its place."""


@node
class ImagejMacroDescr(Node):
    """What a macro of ImageJ does to pixels."""

    id: Literal["imagej_macro"] = "imagej_macro"
    kwargs: ImagejMacroKwargs


@node
class ImagejMacroDescrV04(Node):
    """What a macro of ImageJ does to pixels, in descriptions of format 0.4."""

    name: Literal["imagej_macro"] = "imagej_macro"
    kwargs: ImagejMacroKwargs


@node
class DeepimagejKwargs(Node):
    """Arguments of the run mode ``deepimagej``: descriptions have none, these are filled in as a model is loaded."""

    macros: tuple[str, ...] | None = attrs.field(default=None)
    """Names of the macros that became ops."""

    replaced: tuple[str, ...] = ()
    """Names of the described ops whose place they took."""


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    """Yield the op."""
    yield ProcessingOpEntry(
        name="imagej_macro",
        descr={"0.4": ImagejMacroDescrV04, "0.5": ImagejMacroDescr},
        load=_load_op,
        requirements=_needs,
        summary="what a macro of ImageJ does to pixels",
    )


@hookimpl
def bioimageio_run_modes() -> Iterator[RunModeEntry]:
    """Yield the run mode."""
    yield RunModeEntry(
        name="deepimagej",
        load=_load_run_mode,
        kwargs=DeepimagejKwargs,
        rewrite=_rewrite,
        summary="the macros that config.deepimagej names run before and after the network",
    )


@hookimpl
def bioimageio_foreign_formats() -> Iterator[ForeignFormatEntry]:
    """Yield the format."""
    yield ForeignFormatEntry(
        name="deepimagej",
        patterns=("*.xml", "*"),
        load=_load_reader,
        load_writer=_load_writer,
        writer_options=WRITER_OPTIONS,
        summary="folders of deepImageJ, with config.xml or with config.deepimagej",
    )


def _needs(kwargs: Any, axes: tuple[AxisId, ...]) -> Needs:
    from .macro_op import macro_needs

    return macro_needs(kwargs, axes)


def _load_op() -> ProcessingOpFactory:
    from .macro_op import make_macro_op

    return make_macro_op


def _load_run_mode() -> Callable[[Any], RunMode]:
    from .run_mode import MacroRunMode

    return MacroRunMode


def _rewrite(tree: Mapping[str, Any], read: Callable[[str], bytes]) -> Mapping[str, Any]:
    from .macro_steps import with_macros

    return with_macros(tree, read)


def _load_reader() -> ForeignFormat:
    from .reader import DeepimagejReader

    return DeepimagejReader()


def _load_writer() -> ForeignFormatWriter:
    from .writer import write_deepimagej

    return write_deepimagej
