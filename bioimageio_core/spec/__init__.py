"""Descriptions: frozen classes for each format version, and how they are read, judged and written."""
