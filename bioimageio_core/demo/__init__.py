"""The demonstration: a model trained on synthetic microscopy, and an image for it."""
