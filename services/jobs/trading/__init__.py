"""Orders that are made up."""
