"""As much of IAM as the documents use: identity policies, wildcards, conditions; an explicit deny wins.

Must never guess: an element or an operator that it does not know is an error, not a match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Context = Mapping[str, str | tuple[str, ...]]

_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "Condition"}
_ARN_PARTS = 5


@dataclass(frozen=True)
class Request:
    """One action on one resource, with the condition keys that AWS knows about it."""

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} {dict(self.context)}"


@dataclass(frozen=True)
class Answer:
    """Whether it is allowed, and by which statement it was allowed or denied; `by` is empty where none was about it."""

    allowed: bool
    by: str


def evaluate(document: Mapping[str, Any], request: Request) -> Answer:
    """What IAM would say if this were the only policy."""
    matching = [statement for statement in document["Statement"] if _matches(statement, request)]
    for effect in ("Deny", "Allow"):
        found = next((s for s in matching if s["Effect"] == effect), None)
        if found is not None:
            return Answer(effect == "Allow", found["Sid"])
    return Answer(False, "")


def _matches(statement: Mapping[str, Any], request: Request) -> bool:
    unknown = set(statement) - _ELEMENTS
    if unknown:
        raise ValueError(f"elements that are not understood here: {sorted(unknown)}")
    return (
        _about_action(statement, request.action)
        and any(covers_arn(pattern, request.resource) for pattern in _listed(statement["Resource"]))
        and all(
            _holds(operator, _find(request.context, key), _listed(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _about_action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(_glob(pattern.lower(), action.lower()) for pattern in _listed(statement["NotAction"]))
    return any(_glob(pattern.lower(), action.lower()) for pattern in _listed(statement["Action"]))


def covers_arn(pattern: str, arn: str) -> bool:
    """Part by part: a wildcard never reaches past a colon, but in the last part, which may have colons itself."""
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", _ARN_PARTS), arn.split(":", _ARN_PARTS)
    return len(wanted) == len(given) and all(_glob(w, g) for w, g in zip(wanted, given, strict=True))


def _glob(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = ("." if c == "?" else ".*" if c == "*" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _find(context: Context, key: str) -> tuple[str, ...] | None:
    """IAM does not tell upper case from lower in names of keys, and the key of a tag is part of such a name."""
    found = next((value for name, value in context.items() if name.lower() == key.lower()), None)
    return (found,) if isinstance(found, str) else found


_ONE: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, given: wanted == given,
    "StringEqualsIgnoreCase": lambda wanted, given: wanted.lower() == given.lower(),
    "StringLike": _glob,
    "ArnLike": covers_arn,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
}
_NEGATED = {"StringNotEquals": "StringEquals"}


def _holds(operator: str, given: tuple[str, ...] | None, wanted: Sequence[str]) -> bool:
    if operator == "Null":
        return (given is None) == (wanted[0] == "true")
    quantifier, _, plain = operator.rpartition(":")
    optional = plain.endswith("IfExists")
    test = _test(plain.removesuffix("IfExists"), wanted)
    match quantifier:
        case "ForAllValues":
            return all(test(value) for value in given or ())
        case "ForAnyValue":
            return any(test(value) for value in given or ())
        case "":
            return optional or plain in _NEGATED if given is None else all(test(value) for value in given)
        case _:
            raise ValueError(f"{operator} is not understood here")


def _test(operator: str, wanted: Sequence[str]) -> Callable[[str], bool]:
    if operator in _NEGATED:
        same = _ONE[_NEGATED[operator]]
        return lambda given: not any(same(each, given) for each in wanted)
    if operator not in _ONE:
        raise ValueError(f"{operator} is not understood here")
    return lambda given: any(_ONE[operator](each, given) for each in wanted)


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value
