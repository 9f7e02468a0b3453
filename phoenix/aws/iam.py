"""Make IAM documents out of rights, with the guards that end every document. Pure.

Must never widen a declared right: a document allows the declared actions on the declared resources under the declared
conditions, and denies the actions that no adapter may ever declare.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from phoenix.aws.rights import WRITERS, Condition, Names, Right, Role
from phoenix.core.tags import ALL_WRITTEN, MANAGED

MOST_LETTERS: Final = 10_240
"""The size that all inline policies of a role may have together, white space not counted.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, also for the two below."""
MOST_LETTERS_MANAGED: Final = 6_144
"""The size that one managed policy may have."""
MOST_MANAGED: Final = 10
"""The managed policies that a role may have, unless AWS has raised the account's limit: 20 at most."""

_FIELD = re.compile(r"\$\{(\w+)\}")
_OF_ONE: Final = frozenset({"Bool", "Null"})
_TAG_WRITES: Final = (
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:DeleteTags",
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:RemoveTags",
)
_IAM_WRITES: Final = tuple(f"iam:{begin}*" for begin in ("A", "C", "D", "E", "Put", "R", "Se", "T", "U"))
"""All of IAM's actions but Generate, Get, List and Simulate, and PassRole, which is allowed for one service only."""


@dataclass(frozen=True, slots=True)
class _Guard:
    name: str
    actions: tuple[str, ...]
    roles: frozenset[Role] = frozenset(Role)
    on: tuple[str, ...] = ("*",)
    when: tuple[Condition, ...] = ()


_UPDATE: Final = ("autoscaling:UpdateAutoScalingGroup",)
_GUARDS: Final = (
    _Guard("NeverIam", _IAM_WRITES),
    _Guard("NeverDeleteGroups", ("autoscaling:DeleteAutoScalingGroup",)),
    # IAM ignores case in the tag key of a condition, and so does this.
    _Guard(
        "NeverTheOwnersWord",
        _TAG_WRITES,
        when=(Condition("ForAnyValue:StringEqualsIgnoreCase", "aws:TagKeys", (MANAGED,)),),
    ),
    _Guard(
        "NeverOtherTags",
        _TAG_WRITES[:2],
        WRITERS,
        when=(Condition("ForAnyValue:StringNotEquals", "aws:TagKeys", ALL_WRITTEN),),
    ),
    _Guard(
        "NeverWithoutTemplate",
        ("ec2:RunInstances",),
        on=("arn:*:ec2:*:*:instance/*",),
        when=(Condition("Null", "ec2:LaunchTemplate", ("true",)),),
    ),
    _Guard(
        "NeverLaunchConfiguration",
        _UPDATE,
        WRITERS,
        when=(Condition("Null", "autoscaling:LaunchConfigurationName", ("false",)),),
    ),
)
_NEVER_FOLLOW: Final = _Guard(
    "NeverFollowTemplate",
    _UPDATE,
    frozenset({Role.ROTATE}),
    when=(Condition("Bool", "autoscaling:LaunchTemplateVersionSpecified", ("false",)),),
)


def filled(rights: Iterable[Right], names: Names) -> frozenset[Right]:
    """Fill the known values into the rights' ARNs and conditions; a field with several values multiplies a right."""
    return frozenset(
        replace(
            right,
            on=_spread(right.on, names),
            when=tuple(replace(each, values=_spread(each.values, names)) for each in right.when),
        )
        for right in rights
    )


def document(rights: Iterable[Right], role: Role) -> dict[str, Any]:
    """Return the document for a role: one statement for all rights of one name, in a fixed order, then the guards."""
    wanted = [right for right in rights if role in right.roles]
    named: dict[str, list[Right]] = defaultdict(list)
    for right in wanted:
        named[right.name].append(right)
    allowed = [_allowed(name, named[name]) for name in sorted(named, key=lambda name: (name != "Read", name))]
    denied = [_statement("Deny", guard.name, guard.actions, guard) for guard in _GUARDS if role in guard.roles]
    return {"Version": "2012-10-17", "Statement": [*allowed, *denied]}


def never_follow() -> dict[str, Any]:
    """Return the document that keeps a group from following `$Latest`, with which it would launch each new version
    unchecked.

    It is a document of its own. AWS does not document whether the key of its condition is absent or "false" in an
    update that names no template. If it is "false", this document refuses every change of capacity. Give it to a role
    after one such update has been tried (docs/first-hour.md).
    """
    denied = _statement("Deny", _NEVER_FOLLOW.name, _NEVER_FOLLOW.actions, _NEVER_FOLLOW)
    return {"Version": "2012-10-17", "Statement": [denied]}


def unfilled(found: object) -> tuple[str, ...]:
    """Return the names of the fields that the user of a document must fill in."""
    return tuple(sorted(set(_FIELD.findall(str(found)))))


def letters(found: Mapping[str, Any]) -> int:
    """Return the document's size as IAM counts it: without white space."""
    return sum(not letter.isspace() for letter in json.dumps(found))


def split(found: Mapping[str, Any], most: int = MOST_LETTERS_MANAGED) -> list[dict[str, Any]]:
    """Divide the rights into documents of at most `most` letters each.

    A statement that is too long for one document is divided by its resources. A denial may be in any of the documents:
    a role has all of its policies at once.
    """
    parts: list[dict[str, Any]] = []
    pieces = [piece for statement in found["Statement"] for piece in _pieces(statement, most)]
    for piece in sorted(pieces, key=letters, reverse=True):
        room = (part for part in parts if letters(_with(part, piece)) <= most)
        part = next(room, None)
        if part is None:
            parts.append({"Version": found["Version"], "Statement": [piece]})
        else:
            part["Statement"].append(piece)
    return [_with(part) for part in parts]


def _pieces(statement: Mapping[str, Any], most: int) -> Iterator[dict[str, Any]]:
    resources = statement["Resource"]
    if letters(_with({"Version": "2012-10-17", "Statement": []}, statement)) <= most or len(resources) == 1:
        yield dict(statement)
        return
    for half in (resources[: len(resources) // 2], resources[len(resources) // 2 :]):
        yield from _pieces({**statement, "Resource": half}, most)


def _with(part: Mapping[str, Any], *pieces: Mapping[str, Any]) -> dict[str, Any]:
    """Add these statements to the document, under unique names: a document may have each name but once."""
    count: dict[str, int] = defaultdict(int)
    statements = []
    for each in (*part["Statement"], *pieces):
        count[each["Sid"]] += 1
        number = count[each["Sid"]]
        statements.append({**each, "Sid": each["Sid"] if number == 1 else f"{each['Sid']}{number}"})
    return {"Version": part["Version"], "Statement": statements}


def _allowed(name: str, rights: list[Right]) -> dict[str, Any]:
    """Merge rights of one name: they differ in their resources and values only, which are added up."""
    values: dict[tuple[str, str], list[str]] = defaultdict(list)
    for right in rights:
        for condition in right.when:
            values[condition.operator, condition.key] += condition.values
    when = tuple(Condition(*place, _sorted(found)) for place, found in values.items())
    if any({(c.operator, c.key) for c in right.when} != set(values) for right in rights):
        raise ValueError(f"the rights called {name} have different conditions; give them different names")
    on = _sorted(resource for right in rights for resource in right.on)
    return _statement("Allow", name, _sorted(right.action for right in rights), _Guard(name, (), on=on, when=when))


def _statement(effect: str, name: str, actions: tuple[str, ...], scope: _Guard) -> dict[str, Any]:
    condition: dict[str, dict[str, str | list[str]]] = {}
    for each in scope.when:
        # All others are lists: one field of Terraform may become several elements of its list.
        single = each.operator in _OF_ONE
        condition.setdefault(each.operator, {})[each.key] = each.values[0] if single else [*each.values]
    plain = {"Sid": name, "Effect": effect, "Action": list(actions), "Resource": list(scope.on)}
    return plain | ({"Condition": condition} if condition else {})


def _spread(texts: Iterable[str], names: Names) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for text in texts for each in _filled_in(text, names)))


def _filled_in(text: str, names: Names) -> Iterator[str]:
    known = next((field for field in _FIELD.findall(text) if field in names), None)
    if known is None:
        yield text
        return
    for value in names[known]:
        yield from _filled_in(text.replace(f"${{{known}}}", value), names)


def _sorted(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))
