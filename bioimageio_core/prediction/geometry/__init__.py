"""What is known of the geometry of a network: sizes, stride and receptive field, as an analysis found and remembered them."""
