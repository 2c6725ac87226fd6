"""Backups of the database: made, verified, kept."""
