"""Settings of one command: flag, then `PHOENIX_` variable, then `.env`, then `phoenix.yaml`, then default.

Must never hold a secret, and never what one group wants: that is its policy's business. Must never load a policy: a
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
"""In the working directory, and in none above it. Only names with our prefix are read there."""
COMMON_FILES: Final = ("phoenix.yaml", "phoenix.yml")
"""In the directory of the policies: what holds for all groups. It may name the store, where nothing else does."""

_LEAST_LEASE: Final = (2, "half of it is for one request to AWS, which has to be over before the lease is")
_OTHERS: Final = (f"{PREFIX}GATE_",)
"""What gates give to the programs that they run."""


@dataclass(frozen=True, slots=True)
class Log:
    """How log lines look, and from which level on they are written."""

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
    """What one file says: values of settings, and where each stands. `names` are others with our prefix.

    A file that may say something else than was understood has a `flaw`, and then no values.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    flaw: str | None = None


class Settings(BaseSettings):
    """What holds for all groups. `store` None: the default one of this user, unless `s3://…/phoenix.yaml` names one.

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
        """What keeps `.env` from being understood, with its place. It may name the store, and anything else."""
        return self._env_file.flaw

    @property
    def common_flaw(self) -> str | None:
        """What is wrong with `phoenix.yaml`, with its place: then nothing that it says is known, the store included."""
        return self._common_file.flaw

    def with_common(self, values: Mapping[str, object]) -> Settings:
        """The same with what a `phoenix.yaml` says that was read later, where no source before it has spoken."""
        return self.model_copy(update={k: v for k, v in values.items() if k not in self.model_fields_set})

    def origin(self, name: str) -> str:
        """Where the value of a setting was found, as people write it: `--store`, or `.env:3: PHOENIX_STORE`."""
        return _origin(name, self._flags, (self._env_file, self._common_file))

    def slips(self) -> Iterator[tuple[str, str]]:
        """Names with our prefix that are no settings but look like one: where each stands, and what was meant."""
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
        UsageError: names every flag, variable and line of `.env` that makes no sense, what it says, and what it may
            say. What is wrong with `phoenix.yaml` is the business of each command: a rollback goes on without it.
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
    """What `.env` in the working directory says, as python-dotenv reads it. Lines that are not ours are not judged."""
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
    """A binding begins with the empty lines before it."""
    blank = len(line.original.string) - len(line.original.string.lstrip())
    return line.original.line + line.original.string[:blank].count("\n")


class _File(PydanticBaseSettingsSource):
    """A source that reads one file as a whole, and hands on under its own name where everything in it stands."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        """Nothing one by one."""
        return None, field_name, False

    def read(self) -> Reading:
        """The file."""
        raise NotImplementedError

    def __call__(self) -> dict[str, object]:
        """What the file says of settings."""
        found = self.read()
        return {**found.values, type(self).__name__: found}


class _EnvFile(_File):
    def read(self) -> Reading:
        return read_env_file()


class _CommonFile(_File):
    """`phoenix.yaml` in the directory that the sources before have named. In S3 it is read with the policies."""

    def read(self) -> Reading:
        where = self.current_state.get("policies") or Settings.model_fields["policies"].default
        if where.startswith("s3://") or not any(os.path.lexists(Path(where, name)) for name in COMMON_FILES):
            return Reading()
        from phoenix.policy.common import read_common_file  # loads YAML, which a rollback otherwise gets by without

        return read_common_file(Path(where))


def _told(error: ErrorDetails, flags: Mapping[str, Any], env_file: Reading) -> str:
    name = str(error["loc"][0])
    return f"{_origin(name, flags, (env_file,))} is {error['input']!r}, but {error['msg']}"


def _origin(name: str, flags: Container[str], files: Iterable[Reading]) -> str:
    """The first source that has a value for the setting."""
    variable = f"{PREFIX}{name.upper()}"
    if name in flags:
        return f"--{name}"
    if any(each.upper() == variable and value for each, value in os.environ.items()):
        return variable
    return next((file.places[name] for file in files if name in file.values), variable)


def _meant(name: str) -> str | None:
    """The variable that a misspelt one was probably meant to be; None for a known one, and for what looks like none."""
    known = [setting.upper() for setting in Settings.model_fields]
    word = name.upper().removeprefix(PREFIX)
    if word in known or name.startswith(_OTHERS):
        return None
    import difflib

    same = [each for each in known if len(word) > 2 and (each.startswith(word) or word.startswith(each))]
    near = same or difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"{PREFIX}{near[0]}" if near else None
