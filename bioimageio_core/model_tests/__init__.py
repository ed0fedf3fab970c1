"""What a model does when it is tried: on its test tensors, in other sizes and batches, in blocks."""
