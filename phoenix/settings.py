"""Settings of one command: a flag before a `PHOENIX_` variable before the default.

Must never hold a secret, and never what one group wants: that is its policy's business. Must import nothing that takes
long: a rollback cannot begin without its settings.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_type_hints

import msgspec
from msgspec import Meta

from phoenix.errors import UsageError

PREFIX: Final = "PHOENIX_"
COMMON_FILES: Final = ("phoenix.yaml", "phoenix.yml")
"""In the directory of the policies: what holds for all groups. It may name the store, where nobody else does."""

_ALLOWED: Final = {
    "policies": "a directory, or s3://bucket/prefix",
    "store": "sqlite:///relative/path, sqlite:////absolute/path or dynamodb://TABLE",
    "poll_seconds": "a number of seconds above 0",
    "lease_seconds": "a whole number of seconds above 0",
    "calls_per_second": "a number above 0",
    "advance": "the name or ARN of a Lambda function",
    "log": "text or json, and after a comma debug, info, warning or error: json,info",
}


@dataclass(frozen=True, slots=True)
class Log:
    """How log lines look, and from which level on they are written."""

    form: str = "text"
    level: str = "warning"


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all groups. `store` None: what `phoenix.yaml` says, else the default one of this user.

    `calls_per_second` is how many API calls all who advance groups may make together. `advance` is the Lambda function
    that a sweep hands groups on to; None: it advances them itself.
    """

    policies: Annotated[str, Meta(min_length=1)] = "policies"
    store: str | None = None
    poll_seconds: Annotated[float, Meta(gt=0, le=sys.float_info.max)] = 5.0
    lease_seconds: Annotated[int, Meta(gt=0)] = 60
    calls_per_second: Annotated[float, Meta(gt=0, le=10_000)] = 15.0
    advance: str | None = None
    log: Log = Log()


def read_settings(**flags: str | None) -> Settings:
    """Read the settings; flags that are None were not given, and a variable that is empty is not set.

    Raises:
        UsageError: names every flag and variable that makes no sense, what it says, and what it may say.
    """
    read: dict[str, Any] = {}
    problems: list[str] = []
    for name, kind in get_type_hints(Settings, include_extras=True).items():
        variable, flag = f"{PREFIX}{name.upper()}", flags.get(name)
        text = os.environ.get(variable) or None if flag is None else flag
        if text is None:
            continue
        try:
            read[name] = _read_log(text) if kind is Log else msgspec.convert(text, kind, strict=False)
        except ValueError:
            called = variable if flag is None else f"--{name}"
            problems.append(f"{called} is {text!r}, but must be {_ALLOWED[name]}")
    if problems:
        raise UsageError("; ".join(problems))
    return Settings(**read)


def _read_log(text: str) -> Log:
    form, comma, level = (part.strip().lower() for part in text.partition(","))
    if form not in ("text", "json") or (comma and level not in ("debug", "info", "warning", "error")):
        raise ValueError
    return Log(form, level or Log().level)
