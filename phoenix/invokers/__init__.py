"""Invokers: they advance the groups that a sweep has found to need attention.

How to add one: a module with a class that satisfies `phoenix.engine.many.sweep.Invoker` and lists the rights it needs
in `IAM_ACTIONS`, if it needs any; a line in `Wiring.estate`, which picks one; for rights a line in `wiring/rights.py`,
and `make iam`; its own tests in `tests/invokers`; a line in CHANGELOG.md.
"""
