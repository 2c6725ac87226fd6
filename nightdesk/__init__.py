"""Nightdesk's shared kernel: what its services say to one another."""

__version__ = "0.1.0"
