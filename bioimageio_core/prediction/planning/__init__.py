"""All decisions of a prediction, made before the run starts and kept as data."""
