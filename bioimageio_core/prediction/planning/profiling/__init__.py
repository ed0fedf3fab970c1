"""Time and memory of networks by size of their blocks: measured on request, and remembered."""
