"""Everything about many groups at once: which are due, may start, have stood still, or are too old."""
