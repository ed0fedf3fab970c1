"""Environments for the weights of a model: as files for conda and pip, and as virtual environments to test in."""
