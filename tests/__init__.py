"""The tests of phoenix, laid out like phoenix itself."""
