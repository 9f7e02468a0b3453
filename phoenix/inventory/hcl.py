"""Terraform's language, written from values. Pure.

Must never let a text be taken for an expression: `${` and `%{` in it are escaped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Expression:
    """Written as it is: a reference to another resource."""

    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """`resource "aws_lb_target_group" "green" { … }`: attributes, then blocks. Attributes of None are left out."""

    name: str
    labels: Sequence[str] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    blocks: Sequence[Block] = ()

    def lines(self, indent: str = "") -> list[str]:
        """Lay it out as `terraform fmt` does."""
        labels = "".join(f" {json.dumps(label)}" for label in self.labels)
        kept = {key: value for key, value in self.attributes.items() if value is not None}
        width = max(map(len, kept), default=0)
        inner = f"{indent}  "
        body = [f"{inner}{key:<{width}} = {written(value)}" for key, value in kept.items()]
        for block in self.blocks:
            body += [*([""] if body else []), *block.lines(inner)]
        return [f"{indent}{self.name}{labels} {{", *body, f"{indent}}}"]


def written(value: Any) -> str:
    """A value on one line."""
    match value:
        case Expression(text):
            return text
        case bool():
            return "true" if value else "false"
        case int() | float():
            return json.dumps(int(value) if value == int(value) else value)
        case str():
            return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
        case Mapping():
            return "{ " + ", ".join(f"{written(str(key))} = {written(each)}" for key, each in value.items()) + " }"
        case _:
            return "[" + ", ".join(map(written, value)) + "]"
