"""Results for people: cards of resources, pages, text for terminals, and pictures."""
