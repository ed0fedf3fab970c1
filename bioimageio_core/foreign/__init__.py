"""Models that others describe in their own way."""

from .exporting import ExportedModel, export_foreign
from .importing import ImportedModel, import_foreign

__all__ = ["ExportedModel", "ImportedModel", "export_foreign", "import_foreign"]
