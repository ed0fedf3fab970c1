"""Every decision of a prediction, made before anything runs and kept as data."""
