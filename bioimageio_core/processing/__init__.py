"""Pre- and postprocessing ops."""
