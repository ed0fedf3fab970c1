"""Images in: files and arrays as lazily read regions with named axes."""
