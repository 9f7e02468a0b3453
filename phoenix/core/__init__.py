"""The part of phoenix that decides. Pure: values in, values out; no clock, no randomness, no I/O, no library."""
