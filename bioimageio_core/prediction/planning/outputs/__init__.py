"""Shape, chunks, dtype and resolution levels of the outputs."""
