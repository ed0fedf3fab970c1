"""Drafts descriptions from files of weights: what can be read and analysed is filled in, the rest is marked as to do."""
