"""Chains: a model that takes what other models give, in one run."""
