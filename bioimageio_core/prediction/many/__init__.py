"""Predictions of many images with one network: which, where to, and several small ones at a time."""
