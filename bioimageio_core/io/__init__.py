"""Arrays in and out: images, zarr stores, axes."""
