"""Descriptions of notebooks, one module per format version."""
