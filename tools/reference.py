"""The pages of the reference, written from what they are about: commands from click, keys from the policy's schema.

Must never hold a sentence about a command or a key: it stands where the command or the key is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from typing import Any, Final

import click

from phoenix.cli import COMMANDS, main, root
from phoenix.policy.schema import policy_schema

Schema = Mapping[str, Any]

NO_VALUE: Final = object()


def cli() -> str:
    """Every command and subcommand as its help prints it, in the order of `phoenix --help`."""
    parts = ["# Command line\n", _block(_help([]))]
    with click.Context(root, info_name="phoenix") as context:
        for name in COMMANDS:
            command = root.get_command(context, name)
            if command is not None:
                parts += _command([name], command)
    return "\n".join(parts)


def _command(words: list[str], command: click.Command) -> Iterator[str]:
    yield f"{'#' * (len(words) + 1)} phoenix {' '.join(words)}\n"
    yield _block(_help(words))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _command([*words, name], inner)


def _help(words: list[str]) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        main([*words, "--help"])
    return printed.getvalue().rstrip()


def _block(text: str) -> str:
    return f"```text\n{text}\n```\n"


def keys(schema: Schema | None = None) -> str:
    """Every key of a policy: a table an object, the policy itself first, then in the order in which they are named."""
    schema = schema or policy_schema()
    named: Schema = schema["$defs"]
    parts = [
        "# Keys of a policy\n",
        "The [policy](../policy.md) in prose. A default of `-` means that the key is absent.\n",
    ]
    parts += ["## The policy\n", _table(schema)]
    for name in named:
        told = named[name].get("description", "")
        parts += [f"## {_title(name)}\n", *([f"{told}\n"] if told else []), _table(named[name])]
    return "\n".join(parts)


def _title(name: str) -> str:
    """`gates.http` is `gates: http`; `CanaryStage` stays."""
    return name.replace(".", ": ")


def _table(described: Schema) -> str:
    required = described.get("required", ())
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    properties = {key: value for key, value in described.get("properties", {}).items() if key != "kind"}
    for key, value in properties.items():
        default = "*required*" if key in required else _default(value)
        rows.append(f"| `{key}` | {_value(value)} | {default} | {_cell(value.get('description', ''))} |")
    return "\n".join(rows) + "\n" if len(rows) > 2 else _no_table(described)


def _no_table(described: Schema) -> str:
    return f"It is {_value(described)}.\n" if "type" in described or "enum" in described else "It has no keys.\n"


def _default(value: Schema) -> str:
    found = value.get("default", NO_VALUE)
    if found is NO_VALUE or found is None:
        return "-"
    if isinstance(found, Mapping):
        return "see there"
    return f"`{str(found).lower() if isinstance(found, bool) else found}`"


def _value(value: Schema) -> str:
    """What may stand there, in one cell: a type, the words it may be, or the table that says it."""
    if "$ref" in value:
        name = str(value["$ref"]).rpartition("/")[2]
        return f"[{name.rpartition('.')[2]}](#{name.lower().replace('.', '-')})"
    for several in ("anyOf", "oneOf"):
        if several in value:
            words = [each for each in value[several] if each.get("type") != "null"]
            kinds = [each for each in words if "oneOf" in each]  # a kind's bare name is the same kind
            return " or ".join(_value(each) for each in kinds or words)
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    if value.get("type") == "array":
        return f"list of {_value(value.get('items', {}))}"
    return _plain(value)


def _plain(value: Schema) -> str:
    kind = str(value.get("type", "anything"))
    if kind in {"integer", "number"} and "minimum" in value and "maximum" in value:
        return f"{kind}, {value['minimum']} to {value['maximum']}"
    if "smhd" in str(value.get("pattern")):
        return "duration"
    if "examples" in value:
        return f"{kind}, as `{_cell(str(value['examples'][0]))}`"
    return kind


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
