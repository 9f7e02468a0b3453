"""Notifiers: they deliver news.

How to add one: a module with `class Settings(Kind)` for its keys in the policy and a class that satisfies
`phoenix.ports.Notifier`, is made from `(settings, scope)` and lists the rights it needs in `IAM_ACTIONS`; a line in
`KINDS` below; and its name in `tests/contract/test_notifier_contract.py`. Nothing else has to change. A failed delivery
is always a TransientError (see `sending`): the engine logs it and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phoenix.notifiers.eventbridge import EventBridgeNotifier
from phoenix.notifiers.log import LogNotifier
from phoenix.notifiers.slack import SlackNotifier
from phoenix.notifiers.sns import SnsNotifier

KINDS: Final[Mapping[str, type[EventBridgeNotifier | LogNotifier | SlackNotifier | SnsNotifier]]] = {
    "sns": SnsNotifier,
    "log": LogNotifier,
    "eventbridge": EventBridgeNotifier,
    "slack": SlackNotifier,
}
