"""Masks: which pixels to predict, and which tasks they cover."""
