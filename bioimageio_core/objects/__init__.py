"""Labelled objects of tensors of any size: joined across blocks, numbered, measured; numpy only, no input or output but tables."""

from .composing import owned_pixels
from .csv_table import write_csv
from .matching import LabelMatch, match_labels
from .measuring import BoxMeasurements, measure_objects
from .numbering import BoxObjects, Numbering, number_objects
from .pairs import shared_labels
from .parquet_table import write_parquet
from .slices import SliceJoining, SliceOverlaps, slice_overlaps
from .table import Measurements, TableLayout
from .windows import WindowObjects, numbered, window_objects

__all__ = [
    "BoxMeasurements",
    "BoxObjects",
    "LabelMatch",
    "Measurements",
    "Numbering",
    "SliceJoining",
    "SliceOverlaps",
    "TableLayout",
    "WindowObjects",
    "match_labels",
    "measure_objects",
    "number_objects",
    "numbered",
    "owned_pixels",
    "shared_labels",
    "slice_overlaps",
    "window_objects",
    "write_csv",
    "write_parquet",
]
