"""Tests of models: on their test tensors, in other sizes and batches, and in blocks."""
