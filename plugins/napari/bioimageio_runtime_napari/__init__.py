"""Predicts layers of napari with models of bioimage.io, and opens results."""
