"""Results for people: text and pictures."""
