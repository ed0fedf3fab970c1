"""Time and memory of networks by block size: measured on request, and remembered."""
