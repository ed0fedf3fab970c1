"""Sinks of outputs, and the completion of the output."""
