"""What is decided of many groups together. Pure, as all of the core."""
