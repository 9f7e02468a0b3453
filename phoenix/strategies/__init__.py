"""Strategies: each turns what a policy asks for into a tuple of steps, and that is all a strategy is.

How to add one: a module with one pure function that returns steps; its keys and a line in `phoenix/policy/strategy.py`;
`phoenix policy schema > docs/policy.schema.json`; property tests that hold for every input, and a whole rotation in
`tests/rotation/test_strategies.py`; its paragraph in `docs/policy.md`; a line in CHANGELOG.md. The engine knows no
strategy by name and needs no change.
"""
