"""The conformance kit: test classes that a plugin subclasses to know that it keeps the contract of its hook.

Needs the extra ``testing`` (pytest, Hypothesis, jsonschema); the library itself never imports this package.
"""

from .adapters import WeightsAdapterConformance
from .commands import CommandConformance
from .consumers import ConsumerConformance
from .conversion import WeightsConverterConformance
from .faulty_files import FaultyFiles, faulty_files
from .fixtures import WeightsExample
from .foreign_formats import ForeignFormatConformance
from .formats import WeightsFormatConformance
from .image_examples import ImageExample
from .image_readers import ImageReaderConformance
from .image_writers import ImageWriterConformance
from .kinds import CONFORMANCE, conformance_class
from .ops import ProcessingOpConformance
from .run_modes import RunModeConformance

__all__ = [
    "CONFORMANCE",
    "CommandConformance",
    "ConsumerConformance",
    "FaultyFiles",
    "ForeignFormatConformance",
    "ImageExample",
    "ImageReaderConformance",
    "ImageWriterConformance",
    "ProcessingOpConformance",
    "RunModeConformance",
    "WeightsAdapterConformance",
    "WeightsConverterConformance",
    "WeightsExample",
    "WeightsFormatConformance",
    "conformance_class",
    "faulty_files",
]
