"""Environments for the weights of a model: files for conda and pip, and virtual environments for tests."""
