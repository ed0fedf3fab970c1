"""Pictures of images and outputs, as PNG files."""
