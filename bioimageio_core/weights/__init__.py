"""Weights formats: how they are described, and the adapters that run them."""
