"""Weights formats, and the adapters that run them."""
