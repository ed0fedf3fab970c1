"""Exact statistics of tensors of any size, measured block by block; numpy only, for any scheduler."""

from .dataset import DatasetPartial, DatasetStatistics
from .partial import Partial
from .partial_file import partial_from_bytes, partial_to_bytes
from .streaming import StreamingStatistics, pass_count

__all__ = ["DatasetPartial", "DatasetStatistics", "Partial", "StreamingStatistics", "partial_from_bytes", "partial_to_bytes", "pass_count"]
