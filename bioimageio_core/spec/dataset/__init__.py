"""Descriptions of datasets, one module per format version."""
