"""Analyses the geometry of networks by calling them: sizes, ratios, stride and receptive field."""
