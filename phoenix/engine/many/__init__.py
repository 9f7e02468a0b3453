"""What concerns many groups at once: who is due, who may start, what has stood still, what is too old."""
