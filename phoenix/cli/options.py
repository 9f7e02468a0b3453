"""The options that every command takes, before and after its name.

Must never import any library but click: `--help` waits for this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from phoenix.cli.session import Options, Session

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def common(command: Decorated) -> Decorated:
    """Accept the options of every command; they land in `Options`, not in the command's parameters."""
    for add in reversed(_COMMON):
        command = add(command)
    return command


def takes_group(command: Decorated) -> Decorated:
    """Accept the group as `-g G`, `--group G` or by position, and every common option."""
    placed = click.argument(
        "group_by_position", metavar="[GROUP]", required=False, expose_value=False, callback=_keep_group,
        shell_complete=complete_group,
    )  # fmt: skip
    return placed(named_group(common(command)))


def named_group(command: Decorated) -> Decorated:
    """Accept the group as `-g G` or `--group G` only."""
    return _kept("-g", "--group", metavar="GROUP", help="The group, as its policy names it.")(command)


def group_names(words: Sequence[str], options: Options) -> str | None:
    """Return the group that was typed by position, for commands that take other words there too.

    Raises:
        click.UsageError: more than one group was named.
    """
    for word in words:
        _set_group(options, word)
    return options.group


def complete_group(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return group names for the shell, read from the policy files only."""
    from phoenix.cli.completion import known_groups

    return [name for name in known_groups(options_of(ctx).policies) if name.startswith(incomplete)]


def asks_for_json(words: Sequence[str]) -> bool:
    """True if a command line asks for JSON; for errors before it is parsed."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    joined = {"--output=json", "-ojson", "-o=json"}
    return any(word in joined or (word in {"-o", "--output"} and value == "json") for word, value in pairs)


def options_of(ctx: click.Context) -> Options:
    """Return the common options as typed so far."""
    session = ctx.find_object(Session)
    return session.options if session is not None else Options()


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and param.name is not None:
        setattr(options_of(ctx), param.name, value)


def _keep_group(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value:
        _set_group(options_of(ctx), value)


def _set_group(options: Options, name: str) -> None:
    if options.group not in (None, name):
        raise click.UsageError(f"one group at a time: {options.group!r} or {name!r}?")
    options.group = name


def _kept(*names: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    callback = _keep_group if "--group" in names else _keep
    settings["shell_complete"] = complete_group if "--group" in names else None
    return click.option(*names, expose_value=False, callback=callback, **settings)


_COMMON: tuple[Callable[[Any], Any], ...] = (
    _kept("-o", "--output", type=click.Choice(["text", "json"]), help="json: one document on standard output."),
    _kept("--profile", help="The AWS profile."),
    _kept("--region", help="The AWS region."),
    _kept("--policies", metavar="WHERE", help="Directory or s3:// address of the policies."),
    _kept("--store", metavar="URL", help="sqlite:///relative, sqlite:////absolute or dynamodb://TABLE."),
    _kept("--reason", metavar="TEXT", help="Why; kept in the record and shown to the next person."),
    _kept("--yes", is_flag=True, help="Skip the question, for the few commands that ask one."),
    _kept("--no-input", is_flag=True, help="Never ask: exit 2 instead."),
    _kept("--no-color", is_flag=True, help="No colour; NO_COLOR does the same."),
    _kept("-q", "--quiet", is_flag=True, help="No progress on standard error."),
    _kept("-v", "--verbose", count=True, help="More; twice: also each request to AWS, counted at the end."),
)
