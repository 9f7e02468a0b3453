"""Runs the AWS CLI's commands that blockers bring, as printed, against a session.

The AWS CLI itself is no dependency; this knows as much of it as the remedies use, and takes every name and type from
botocore's model, as the AWS CLI does. What it does not understand is an error and not a pass.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from botocore import xform_name


def run_remedy(session: Any, remedy: str | None) -> list[str]:
    """Run all its commands; the operations that were called, as the AWS CLI spells them."""
    assert remedy, "there is no remedy"
    ran = []
    for words in commands_of(remedy):
        program, service, operation, *rest = words
        assert program == "aws", words
        client = session.client(service)
        getattr(client, operation.replace("-", "_"))(**parameters_of(client, operation, rest))
        ran.append(operation)
    return ran


def commands_of(remedy: str) -> list[list[str]]:
    """The words of each command; a backslash at the end of a line joins it with the next."""
    return [shlex.split(line) for line in remedy.replace("\\\n", " ").splitlines() if line.strip()]


def parameters_of(client: Any, operation: str, words: list[str]) -> dict[str, Any]:
    """What the AWS CLI would send for these words."""
    names = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}
    shape = client.meta.service_model.operation_model(names[operation]).input_shape
    members = {xform_name(name, "-"): name for name in shape.members}
    found: dict[str, Any] = {}
    for option, values in _options(words):
        if option == "cli-input-json":
            found |= json.loads(values[0])
        elif option.removeprefix("no-") in members and option not in members:
            found[members[option.removeprefix("no-")]] = False
        else:
            found[members[option]] = _value(shape.members[members[option]], values)
    return found


def _options(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    starts = [n for n, word in enumerate(words) if word.startswith("--")]
    assert starts[:1] == [0], words
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        yield words[start].removeprefix("--"), words[start + 1 : end]


def _value(shape: Any, values: list[str]) -> Any:
    match shape.type_name:
        case "boolean":
            assert not values, values
            return True
        case "integer" | "long":
            return int(values[0])
        case "double" | "float":
            return float(values[0])
        case "list" if values[:1] and values[0].startswith("["):
            return json.loads(values[0])
        case "list":
            return [_value(shape.member, [value]) for value in values]
        case "structure" if values[0].startswith("{"):
            return json.loads(values[0])
        case "structure":
            pairs = (part.split("=", 1) for part in values[0].split(","))
            return {key: _value(shape.members[key], [text]) for key, text in pairs}
        case "string":
            (text,) = values
            return text
        case unknown:
            raise AssertionError(f"no way to write a {unknown}")
