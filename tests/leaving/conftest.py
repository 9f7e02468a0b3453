"""Makes the sandbox account available to the tests here."""

from tests.account import account, open_account

__all__ = ["account", "open_account"]
