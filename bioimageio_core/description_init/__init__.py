"""Descriptions that are begun from a file of weights: what can be read, tried and measured is filled in, the rest is marked."""
