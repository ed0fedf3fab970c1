"""Results as fragments of HTML for notebooks: what a person asks first."""
