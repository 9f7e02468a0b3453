"""Decisions about many groups together. Pure, as all of the core."""
