"""ZEISS ``.czann``, ``.czmodel`` and ``.czseg`` files, and the JSON specification of exported networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bioimageio_core.registry import ForeignFormat, ForeignFormatEntry, ForeignFormatWriter, hookimpl

from .versions import matrix

__all__ = ["bioimageio_foreign_formats"]

COMMON: Mapping[str, str] = {
    "zen_blue": "version of ZEN Blue that is to read the file, as in '3.5'; decides on the file version",
    "zen_core": "version of ZEN Core, likewise",
    "name": "name of the model in ZEN",
    "id": "identifier (UUID); by default that of the file that the model was read from, else one made of the content",
    "license_file": "path of a license file to put in",
    "test_image": "path of an image to put in, too",
    "output": "id of the output to keep, where there are several",
    "spatial_dims": "size of blocks, as in [512, 512]; by default the described size, or one of about 512 pixels",
    "border": "pixels of context around a block; by default the halo",
    "classes": "names of the classes, as in [Background, Nucleus]",
    "probabilities": "what makes classes sum to 1: softmax, background (a first class, 1 minus the others), or as_is",
    "statistics": "block: take statistics of the image from each block instead, which is not the same; by default that is an error",
    "rgb_to_bgr": "whether the network takes red, green, blue (ZEN gives blue, green, red); by default taken from the channel names",
    "input_maximum": "what 1.0 stands for in the images that ZEN gives, as in 255 for a network of 8 bit images; by default 1",
}


CZANN: Mapping[str, str] = {
    "file_version": f"version of the file: {matrix('czann')}",
    "type": "such as SingleClassSemanticSegmentation, the default of an output of probabilities, or Regression, that of others",
    "scaling": "extent of a pixel in metres, as in [1e-07, 1e-07] for x, y; by default that of the axes",
    **COMMON,
}

CZMODEL: Mapping[str, str] = {
    "file_version": f"version of the file: {matrix('czmodel')}",
    "pixel_type": "such as Gray16 or Bgr24, one or several; by default taken from data type and number of channels",
    "color_handling": "ConvertToMonochrome or SplitRgb; by default taken from the number of channels",
    **COMMON,
}


@hookimpl
def bioimageio_foreign_formats() -> Iterator[ForeignFormatEntry]:
    """Yield the formats."""
    yield ForeignFormatEntry(
        name="czann",
        patterns=("*.czann",),
        load=_load_czann,
        load_writer=_load_czann_writer,
        writer_options=CZANN,
        summary="networks for ZEN since 3.5 and arivis",
    )
    yield ForeignFormatEntry(
        name="czmodel",
        patterns=("*.czmodel", "*.czseg"),
        load=_load_czmodel,
        load_writer=_load_czmodel_writer,
        writer_options=CZMODEL,
        summary="networks for segmentation in ZEN since 3.2 (Intellesis)",
    )
    yield ForeignFormatEntry(
        name="czmodel-json",
        patterns=("*.json",),
        load=_load_specification,
        summary="specification of an exported network, of which czmodel files are made",
    )


def _load_czann() -> ForeignFormat:
    from .reading import CzannFormat

    return CzannFormat()


def _load_czmodel() -> ForeignFormat:
    from .reading import CzmodelFormat

    return CzmodelFormat()


def _load_specification() -> ForeignFormat:
    from .specification import SpecificationFormat

    return SpecificationFormat()


def _load_czann_writer() -> ForeignFormatWriter:
    from .writing import write_czann

    return write_czann


def _load_czmodel_writer() -> ForeignFormatWriter:
    from .writing import write_czmodel

    return write_czmodel
