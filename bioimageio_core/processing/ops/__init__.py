"""Implementations of the built-in ops: frozen, picklable callables ``(tensor, measured) -> array``."""
