"""What phoenix exists for: deciding. Pure: values in, values out; no clock, no randomness, no I/O, no library."""
