"""Settings of one command: flag, then `PHOENIX_` variable, then `.env`, then `phoenix.yaml`, then default.

Must never hold a secret, nor a wish for one group: that belongs in its policy. Must never load a policy: a
rollback cannot begin without its settings, and neither policy nor `phoenix.yaml` may keep it from beginning.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import ModelWrapValidatorHandler, PlainValidator, PrivateAttr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from phoenix.errors import UsageError
from phoenix.keys import Matching, wrong

if TYPE_CHECKING:
    from dotenv.parser import Binding

PREFIX: Final = "PHOENIX_"
ENV_FILE: Final = ".env"
"""Read from the working directory, and from none above it. Only names with our prefix count."""
COMMON_FILES: Final = ("phoenix.yaml", "phoenix.yml")
"""In the directory of the policies, for all groups. It may name the store if no other source does."""

_LEAST_LEASE: Final = (2, "half of it is for one request to AWS, which has to be over before the lease is")
_OTHERS: Final = (f"{PREFIX}GATE_",)
"""Variables that gates set for the programs they run."""


@dataclass(frozen=True, slots=True)
class Log:
    """The format and the lowest level of log lines."""

    form: str = "text"
    level: str = "warning"


@dataclass(frozen=True, slots=True)
class _Number:
    """A number above 0, from text or YAML; `allowed` completes "must be …"; `least` comes with its reason."""

    allowed: str
    kind: type[int] | type[float]
    most: float = sys.float_info.max
    least: tuple[float, str] = (0, "")

    def __call__(self, value: object) -> float:
        try:
            number = self.kind(str(value)) if not isinstance(value, bool) else 0
        except ValueError:
            number = 0
        if not 0 < number <= self.most:
            raise wrong(f"must be {self.allowed}")
        least, why = self.least
        if number < least:
            raise wrong(f"must be at least {least:g}: {why}")
        return number


@dataclass(frozen=True, slots=True)
class _Words:
    """Text that is not empty; `allowed` completes the sentence "must be …"."""

    allowed: str

    def __call__(self, value: object) -> str:
        if not isinstance(value, str) or not value:
            raise wrong(f"must be {self.allowed}")
        return value


def _read_log(value: object) -> Log:
    if isinstance(value, Log):
        return value
    form, comma, level = (part.strip().lower() for part in str(value).partition(","))
    if form not in ("text", "json") or (comma and level not in ("debug", "info", "warning", "error")):
        raise wrong("must be text or json, and after a comma debug, info, warning or error: json,info")
    return Log(form, level or Log().level)


Where = Annotated[str, PlainValidator(_Words("a directory, or s3://bucket/prefix"))]
StoreUrl = Annotated[str, Matching(r"(sqlite:///|dynamodb://)[!-~]+", "sqlite:///PATH or dynamodb://TABLE")]
PollSeconds = Annotated[float, PlainValidator(_Number("a number of seconds above 0", float))]
LeaseSeconds = Annotated[int, PlainValidator(_Number("a whole number of seconds above 0", int, least=_LEAST_LEASE))]
CallsPerSecond = Annotated[float, PlainValidator(_Number("a number above 0 and at most 10,000", float, 10_000))]
FunctionName = Annotated[str, PlainValidator(_Words("the name or ARN of a Lambda function"))]
LogLines = Annotated[Log, NoDecode, PlainValidator(_read_log)]


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings that one file holds, and the place of each. `names` are its other names with our prefix.

    A file that was not fully understood has a `flaw`, and then no values.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    flaw: str | None = None


class Settings(BaseSettings):
    """Settings for all groups. `store` None: this user's default store, unless `s3://…/phoenix.yaml` names one.

    `calls_per_second` is how many API calls all drivers that advance groups may make together. `advance` is the Lambda
    function that a sweep hands groups on to; None: the sweep advances them itself.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    policies: Where = "policies"
    store: str | None = None
    poll_seconds: PollSeconds = 5.0
    lease_seconds: LeaseSeconds = 60
    calls_per_second: CallsPerSecond = 15.0
    advance: FunctionName | None = None
    log: LogLines = Log()

    _flags: frozenset[str] = PrivateAttr(default=frozenset())
    _env_file: Reading = PrivateAttr(default_factory=Reading)
    _common_file: Reading = PrivateAttr(default_factory=Reading)

    @property
    def env_flaw(self) -> str | None:
        """The flaw of `.env`, with its place. The part that was not understood may name the store."""
        return self._env_file.flaw

    @property
    def common_flaw(self) -> str | None:
        """The flaw of `phoenix.yaml`, with its place: none of its settings is known then, the store included."""
        return self._common_file.flaw

    def with_common(self, values: Mapping[str, object]) -> Settings:
        """Return the settings with the values of a `phoenix.yaml` that was read later, for those that no earlier source
        sets."""
        return self.model_copy(update={k: v for k, v in values.items() if k not in self.model_fields_set})

    def origin(self, name: str) -> str:
        """Return the place of a setting's value, as in `--store` or `.env:3: PHOENIX_STORE`."""
        return _origin(name, self._flags, (self._env_file, self._common_file))

    def slips(self) -> Iterator[tuple[str, str]]:
        """Names with our prefix that resemble a setting: the place of each, and the setting probably meant."""
        variables = {name: name for name in os.environ if name.upper().startswith(PREFIX)}
        for name, place in {**self._env_file.names, **variables}.items():
            meant = _meant(name)
            if meant is not None:
                yield place, meant

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - stops at lines that are not ours
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - nothing here is a secret
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources in the contract's order; the first that has a value decides."""
        files = (_EnvFile(settings_cls), _CommonFile(settings_cls))
        return init_settings, env_settings, *files

    @model_validator(mode="wrap")
    @classmethod
    def _keep_places(cls, read: dict[str, Any], handler: ModelWrapValidatorHandler[Settings]) -> Settings:
        made = handler(read)
        made._env_file, made._common_file = (
            read.get(_EnvFile.__name__, Reading()),
            read.get(_CommonFile.__name__, Reading()),
        )
        return made


def read_settings(**flags: str | None) -> Settings:
    """Read the settings; flags that are None were not given, and a variable that is empty is not set.

    Raises:
        UsageError: names every wrong flag, variable and line of `.env`, its value, and the values allowed. Each command
        judges a wrong `phoenix.yaml` itself: a rollback goes on without it.
    """
    given: dict[str, Any] = {name: text for name, text in flags.items() if text is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise UsageError("; ".join(_told(each, given, read_env_file()) for each in found)) from None
    settings._flags = frozenset(given)
    return settings


def read_env_file() -> Reading:
    """Read `.env` in the working directory, as python-dotenv reads it. Lines without our prefix are not judged."""
    try:
        text = Path(ENV_FILE).read_text(encoding="utf-8-sig", errors="replace")
    except (FileNotFoundError, IsADirectoryError):
        return Reading()
    except OSError as error:
        return Reading(flaw=f"{ENV_FILE} cannot be read: {error.strerror}; make it readable, or work elsewhere")
    if PREFIX not in text.upper():
        return Reading()
    return _parse_env_file(text)


def _parse_env_file(text: str) -> Reading:
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    sound, places = "", dict[str, str]()
    for line in parse_stream(StringIO(text)):
        name = (line.key or "").upper()
        if line.error and PREFIX in line.original.string.upper():
            return Reading(flaw=f"{ENV_FILE}:{_first_line(line)}: cannot be understood: write PHOENIX_NAME=value")
        if not line.error:
            sound += line.original.string
        if name.startswith(PREFIX):
            places[name] = f"{ENV_FILE}:{_first_line(line)}: {line.key}"
    said = {name.upper(): value for name, value in dotenv_values(stream=StringIO(sound)).items()}
    known = {name: f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return Reading(
        {name: said[variable] for name, variable in known.items() if said.get(variable)},
        {name: places[variable] for name, variable in known.items() if variable in places},
        {name: place for name, place in places.items() if name not in known.values()},
    )


def _first_line(line: Binding) -> int:
    """Return the line of a binding, which begins with the empty lines before it."""
    blank = len(line.original.string) - len(line.original.string.lstrip())
    return line.original.line + line.original.string[:blank].count("\n")


class _File(PydanticBaseSettingsSource):
    """A source that reads one whole file, and passes on the place of each value under its own name."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        """Return nothing: the file is read as a whole."""
        return None, field_name, False

    def read(self) -> Reading:
        """The file."""
        raise NotImplementedError

    def __call__(self) -> dict[str, object]:
        """Return the settings of the file."""
        found = self.read()
        return {**found.values, type(self).__name__: found}


class _EnvFile(_File):
    def read(self) -> Reading:
        return read_env_file()


class _CommonFile(_File):
    """Read `phoenix.yaml` in the directory that earlier sources named. In S3 it is read with the policies."""

    def read(self) -> Reading:
        where = self.current_state.get("policies") or Settings.model_fields["policies"].default
        if where.startswith("s3://") or not any(os.path.lexists(Path(where, name)) for name in COMMON_FILES):
            return Reading()
        from phoenix.policy.common import read_common_file  # loads YAML, which a rollback does not need otherwise

        return read_common_file(Path(where))


def _told(error: ErrorDetails, flags: Mapping[str, Any], env_file: Reading) -> str:
    name = str(error["loc"][0])
    return f"{_origin(name, flags, (env_file,))} is {error['input']!r}, but {error['msg']}"


def _origin(name: str, flags: Container[str], files: Iterable[Reading]) -> str:
    """Return the first source that has a value for the setting."""
    variable = f"{PREFIX}{name.upper()}"
    if name in flags:
        return f"--{name}"
    if any(each.upper() == variable and value for each, value in os.environ.items()):
        return variable
    return next((file.places[name] for file in files if name in file.values), variable)


def _meant(name: str) -> str | None:
    """Return the variable that a misspelt name probably meant; None for a known name, and for one that resembles
    none."""
    known = [setting.upper() for setting in Settings.model_fields]
    word = name.upper().removeprefix(PREFIX)
    if word in known or name.startswith(_OTHERS):
        return None
    import difflib

    same = [each for each in known if len(word) > 2 and (each.startswith(word) or word.startswith(each))]
    near = same or difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"{PREFIX}{near[0]}" if near else None
