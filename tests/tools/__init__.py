"""The tests of the repository's own checks."""
