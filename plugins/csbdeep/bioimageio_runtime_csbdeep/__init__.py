"""Models of CSBDeep (CARE) and StarDist, as these export them for Fiji: read, and written."""

from __future__ import annotations

from collections.abc import Iterator

from bioimageio_core.registry import ForeignFormat, ForeignFormatEntry, ForeignFormatWriter, hookimpl

__all__ = ["bioimageio_foreign_formats"]

NORMALISATION = {
    "percentiles": "two percentiles of the image that become 0 and 1, as [1, 99.8], or null for none; {}",
    "per_channel": "true (the default): each channel has its own percentiles; false: one pair for all",
}


@hookimpl
def bioimageio_foreign_formats() -> Iterator[ForeignFormatEntry]:
    """Yield both formats."""
    yield ForeignFormatEntry(
        name="csbdeep",
        patterns=("*.zip", "*"),
        load=_load_csbdeep,
        reader_options=_normalisation("2 and 99.8 if not given, those of CARE.predict"),
        load_writer=_load_writer,
        summary="CSBDeep (CARE): export_TF, or the folder of a model with its export",
    )
    yield ForeignFormatEntry(
        name="stardist",
        patterns=("*.zip", "*"),
        load=_load_stardist,
        reader_options={
            **_normalisation("1 and 99.8 if not given, those of StarDist's examples"),
            "div_by": "numbers that sizes have to be multiples of, along each axis in space; read from the graph if not given",
            "overlap": "pixels that the network sees to either side, along each axis in space; read from the graph if not given",
        },
        load_writer=_load_stardist_writer,
        summary="StarDist: export_TF, or the folder of a model with its export",
    )


def _normalisation(default: str) -> dict[str, str]:
    return {name: words.format(default) for name, words in NORMALISATION.items()}


def _load_csbdeep() -> ForeignFormat:
    from .care import Care

    return Care()


def _load_stardist() -> ForeignFormat:
    from .stardist import StarDist

    return StarDist()


def _load_writer() -> ForeignFormatWriter:
    from .writing import write_csbdeep

    return write_csbdeep


def _load_stardist_writer() -> ForeignFormatWriter:
    from .writing import write_stardist

    return write_stardist
