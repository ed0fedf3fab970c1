"""Cards, plans and reports as text for terminals."""
