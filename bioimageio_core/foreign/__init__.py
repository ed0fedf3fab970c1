"""Models in the formats of other systems, read and written by plugins."""

from .exporting import ExportedModel, export_foreign
from .importing import ImportedModel, import_foreign

__all__ = ["ExportedModel", "ImportedModel", "export_foreign", "import_foreign"]
