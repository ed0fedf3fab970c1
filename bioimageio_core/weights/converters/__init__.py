"""Converters between the weights formats that the model format names."""
