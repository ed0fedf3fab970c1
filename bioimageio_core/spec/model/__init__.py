"""Model descriptions, one package per format version."""
