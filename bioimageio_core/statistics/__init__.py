"""Exact statistics of tensors of any size, measured block by block; numpy only, for any scheduler."""

from .dataset import DatasetPartial, DatasetStatistics
from .partial import Partial
from .streaming import StreamingStatistics

__all__ = ["DatasetPartial", "DatasetStatistics", "Partial", "StreamingStatistics"]
