"""One module for each kind of pass, and what its tasks do."""
