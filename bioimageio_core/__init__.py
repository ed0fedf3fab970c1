"""Run bioimage.io models on images of any size."""
