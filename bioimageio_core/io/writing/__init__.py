"""Arrays out: zarr stores written chunk by chunk, OME-Zarr images, and the state of incomplete runs."""
