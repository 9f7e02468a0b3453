"""Invokers: they advance the groups that a sweep has found to need attention.

To add one: a module with a class that satisfies `phoenix.ports.Invoker` and lists the rights it needs in `IAM_ACTIONS`,
if it needs any, and a line in `Wiring.estate`, which picks one.
"""
