"""Other software that runs models: what is known of each, and rules made of it."""
