"""Ask IAM whether a role or user may make the calls that phoenix makes, before one of them is needed at night.

Reads only. The right to ask is an administrator's and is in none of phoenix's own documents: a role need not know what
it may do in order to do it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

from phoenix.aws.rights import Condition, Right
from phoenix.aws.session import Aws

ASKS: Final = "iam:SimulatePrincipalPolicy"

_ROLE_IN_USE: Final = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")
_OF_ONE: Final = {"Bool": "boolean", "Null": "string"}


def principal_of(caller: str) -> str:
    """Return the ARN of the role or user behind a session, as GetCallerIdentity names it. A role's path is not in it;
    where the role has one, IAM does not find it by this name."""
    return _ROLE_IN_USE.sub(r"arn:\1:iam::\2:role/\3", caller)


def refused(aws: Aws, principal: str, rights: Iterable[Right]) -> list[str]:
    """Return the actions that the principal may not, each with its resource; the rights' conditions are met.

    A right with a field that is not known, such as the instances' role, is left out: no resource can be named.

    Raises:
        AccessDenied: the caller may not ask.
        NotFound: there is no such principal.
    """
    sets: dict[tuple[tuple[str, ...], tuple[Condition, ...]], set[str]] = defaultdict(set)
    for right in rights:
        if not any("${" in each for each in (*right.on, *(v for c in right.when for v in c.values))):
            sets[right.on, right.when].add(right.action)
    asked = [partial(_refused, aws, principal, sorted(actions), *where) for where, actions in sets.items()]
    return sorted({each for found in aws.side_by_side(asked) for each in found})


def _refused(
    aws: Aws, principal: str, actions: Sequence[str], on: Sequence[str], when: Sequence[Condition]
) -> list[str]:
    found = aws.pages(
        "iam",
        "simulate_principal_policy",
        "EvaluationResults",
        PolicySourceArn=principal,
        ActionNames=list(actions),
        ResourceArns=list(on),
        ContextEntries=_context(when),
    )
    return [_told(each) for each in found if each["EvalDecision"] != "allowed"]


def _told(answer: dict[str, Any]) -> str:
    resource = answer.get("EvalResourceName") or "*"
    return str(answer["EvalActionName"]) + ("" if resource == "*" else f" on {resource}")


def _context(when: Sequence[Condition]) -> list[dict[str, Any]]:
    """Return what meets the conditions: their own values. `Null: true` is met by a key that is left out."""
    found: dict[str, dict[str, Any]] = {}
    for condition in when:
        if condition.operator == "Null":
            continue
        kind = "stringList" if condition.operator.startswith("ForA") else _OF_ONE.get(condition.operator, "string")
        values = list(condition.values) if kind == "stringList" else [condition.values[0].replace("*", "x")]
        found[condition.key] = {"ContextKeyName": condition.key, "ContextKeyType": kind, "ContextKeyValues": values}
    for condition in when:
        if condition.operator == "Null" and condition.values == ("false",):
            entry = {"ContextKeyName": condition.key, "ContextKeyType": "string", "ContextKeyValues": ["x"]}
            found.setdefault(condition.key, entry)
    return list(found.values())
