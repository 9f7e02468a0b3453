"""Makes the sandbox account available to the contract tests."""

from tests.account import account, open_account

__all__ = ["account", "open_account"]
