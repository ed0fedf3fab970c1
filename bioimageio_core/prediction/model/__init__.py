"""The model that runs, independent of any image: its tensors, processing steps, weights, run mode and network."""
