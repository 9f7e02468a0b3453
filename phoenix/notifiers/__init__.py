"""Notifiers: they deliver news.

How to add one: a module with `class Settings(Kind)` for its keys in the policy and a class that satisfies
`phoenix.ports.Notifier`, is made from `(settings, scope)`, lists the rights it needs in `IAM_ACTIONS` (for `WRITERS`),
and fills the fields of their ARNs from its keys in `iam_names`; an import and a line in `KINDS` below. Then: `phoenix
policy schema > docs/policy.schema.json` and `make iam`; the keys that it requires, its service and its call in
`tests/contract/test_notifier_contract.py`, whose tests then hold for it too; a policy with it in `tests/iam/runs.py`,
since every right that is granted has to be used there; its own tests in `tests/notifiers`; its row in `docs/policy.md`;
a line in CHANGELOG.md. A failed delivery is always a TransientError (see `sending`): the engine logs it and goes on.
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
