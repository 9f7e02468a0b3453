"""Settings of one command: a flag before a `PHOENIX_` variable before `phoenix.yaml` before the default.

Must never hold a secret, and never what one group wants: that is its policy's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from phoenix.errors import UsageError

PREFIX: Final = "PHOENIX_"
_ALLOWED: Final = {
    "policies": "a directory, or s3://bucket/prefix",
    "store": "sqlite:///relative/path or sqlite:////absolute/path",
    "poll_seconds": "a number of seconds above 0",
    "lease_seconds": "a whole number of seconds above 0",
    "log": "text or json, and after a comma debug, info, warning or error: json,info",
}


@dataclass(frozen=True, slots=True)
class Log:
    """How log lines look, and from which level on they are written."""

    form: str = "text"
    level: str = "warning"


def _read_log(value: object) -> Log:
    if isinstance(value, Log):
        return value
    form, comma, level = (part.strip().lower() for part in str(value).partition(","))
    if form not in ("text", "json") or (comma and level not in ("debug", "info", "warning", "error")):
        raise ValueError
    return Log(form, level or Log().level)


class Settings(BaseSettings):
    """What holds for all groups. `store` None: the default one of this user.

    Made by `read_settings`, which turns pydantic's complaints into one of ours.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, allow_inf_nan=False
    )

    policies: str = Field(default="policies", min_length=1)
    store: str | None = None
    poll_seconds: float = Field(default=5.0, gt=0)
    lease_seconds: int = Field(default=60, gt=0)
    log: Annotated[Log, NoDecode, BeforeValidator(_read_log)] = Log()

    def over(self, common: Mapping[str, Any]) -> Settings:
        """The same, with what `phoenix.yaml` says where neither a flag nor a variable says anything.

        Raises:
            UsageError: a value in `common` does not make sense.
        """
        given = {name: value for name, value in common.items() if value is not None}
        return _checked({**given, **{name: getattr(self, name) for name in self.model_fields_set}}, "phoenix.yaml: ")


def read_settings(**flags: object) -> Settings:
    """Read the settings; flags that are None were not given.

    Raises:
        UsageError: names the flag or the variable, what it says, and what it may say.
    """
    return _checked({name: value for name, value in flags.items() if value is not None}, "--")


def _checked(given: dict[str, Any], prefix: str) -> Settings:
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = [_problem(str(each["loc"][0]), each["input"], given, prefix) for each in error.errors()]
        raise UsageError("; ".join(problems)) from None


def _problem(name: str, value: object, given: Mapping[str, object], prefix: str) -> str:
    called = f"{prefix}{name}" if name in given else f"{PREFIX}{name.upper()}"
    return f"{called} is {value!r}, but must be {_ALLOWED.get(name, 'left out: there is no such setting')}"
