"""Strategies: each turns what a policy asks for into a tuple of steps, and that is all a strategy is.

To add one: a module with one pure function that returns steps, its keys in phoenix/policy/strategy.py, and property
tests that hold for every input. The engine knows no strategy by name and needs no change.
"""
