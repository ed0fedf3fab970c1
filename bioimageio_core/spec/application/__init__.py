"""Descriptions of applications, one module per format version."""
