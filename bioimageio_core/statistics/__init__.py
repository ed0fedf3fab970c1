"""Statistics of arrays, fed block by block."""
