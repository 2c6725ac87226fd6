"""Does anything grow: minutes at a steady rate, and an hour of market in a tenth of the time."""
