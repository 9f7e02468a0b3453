"""Read Network Load Balancers: the listeners that forward to the pair. Reads only.

Must never ask for rules: these listeners have a default action and nothing else. Since 2025 a dual-stack Network Load
Balancer may have rules as well, by source address; they are not read
(docs.aws.amazon.com/elasticloadbalancing/latest/network/create-rule.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from phoenix.routers.forwarding import Rule
from phoenix.routers.listeners import Listeners

NETWORK: Final = ":listener/net/"


class NetworkListeners(Listeners):
    """Listeners as AWS describes them, each with its default action."""

    def read(self, rules: Sequence[str]) -> list[Rule]:
        """These listeners, in one call.

        Raises:
            NotFound: one of them is gone.
        """
        if not rules:
            return []
        return self._rules_of(self._pages("describe_listeners", "Listeners", ListenerArns=list(rules)))

    def _rules_of(self, listeners: Sequence[Mapping[str, Any]]) -> list[Rule]:
        ours = [item for item in listeners if NETWORK in str(item["ListenerArn"])]
        self._note_ports(ours)
        as_rules = ({"RuleArn": i["ListenerArn"], "IsDefault": True, "Actions": i["DefaultActions"]} for i in ours)
        return self._named(list(as_rules))
