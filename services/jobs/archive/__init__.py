"""Days of ticks as files: written, read back, put back."""
