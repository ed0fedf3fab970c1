"""What a network does with sizes and positions, measured by calling it."""
