"""Pure integer geometry of blocks: axes, sizes, halo, grid. No arrays, no files, no floats."""
