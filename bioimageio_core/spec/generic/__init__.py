"""What descriptions of all resource types share, by the version of the generic format."""
