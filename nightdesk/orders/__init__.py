"""Orders and what they name: what a row may hold, how it is read from CSV and JSON, how a batch is recorded."""
