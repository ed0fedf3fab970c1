"""Where tasks run: threads of this process, or workers of a dask cluster."""
