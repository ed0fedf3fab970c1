"""Models that others describe in their own way."""

from .importing import ImportedModel, import_foreign

__all__ = ["ImportedModel", "import_foreign"]
