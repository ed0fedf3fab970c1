"""Weights formats: descriptions, adapters and converters."""
