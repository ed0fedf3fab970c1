"""Where results go, and how they become a finished zarr."""
