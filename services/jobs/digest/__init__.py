"""Logs: which there are, what their lines say, and how each is counted once."""
