"""Outputs as files: a run writes zarr beside the file, from which a writer makes the file when it is complete."""
