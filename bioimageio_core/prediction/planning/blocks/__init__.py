"""Which axes are cut, how large blocks are, and which blocks make a region."""
