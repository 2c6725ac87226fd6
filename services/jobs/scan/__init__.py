"""What a watchlist does before the open: previous close, gap, volume."""
