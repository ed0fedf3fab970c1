"""The formats of image files that the library itself reads and writes; they come in through the same hooks as those of plugins."""
