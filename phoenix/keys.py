"""The base of all models of a policy, and the types of its values.

Adapters import this, so it must never import an adapter, nor any module that is slow to import. A complaint is one
sentence for the owner of the policy; if the right text can be guessed, the complaint gives it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema


class Keys(BaseModel):
    """A mapping of a policy: immutable, and every key it does not know is an error."""

    # Otherwise each model would be compiled on import, and once more as a part of the policy.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True, populate_by_name=True)


class Kind(Keys):
    """A mapping whose `kind` names its adapter; each adapter narrows `kind` to one word."""

    kind: str


def wrong(reason: str, *, instead: str | None = None, at: Sequence[str | int] = ()) -> PydanticCustomError:
    """Return a complaint for the owner of the policy, for a validator to raise.

    `instead` is the right text; `at` is the path from this value to the wrong part.
    """
    return PydanticCustomError("policy", "{reason}", {"reason": reason, "instead": instead, "at": tuple(at)})


# --- durations --------------------------------------------------------------------------------------------------------

_SECONDS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART = re.compile(r"([0-9]{1,9})([smhd])")
_LOOSE_PART = re.compile(r"\s*([0-9]{1,9})\s*([a-z]+)\s*")
_LONGEST = timedelta(days=3650)
DURATION_PATTERN: Final = "^([0-9]{1,9}[smhd])+$"


def parse_duration(value: object) -> timedelta:
    """Read `90s`, `1h30m` or `0s`; a timedelta is returned as it is."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        raise _without_unit(str(value))
    if not isinstance(value, str):
        raise wrong("a duration is a whole number with s, m, h or d, as in 90s or 1h30m")
    if value.isascii() and value.isdigit():
        raise _without_unit(value)
    if re.match(DURATION_PATTERN, value) is None or value.endswith("\n"):
        raise _unreadable(value)
    found = timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(value)))
    if found > _LONGEST:
        raise wrong("longer than ten years")
    return found


def render_duration(duration: timedelta) -> str:
    """Write a duration as a policy does, largest unit first; the opposite of `parse_duration`."""
    left = int(duration.total_seconds())
    written = ""
    for unit, seconds in _SECONDS.items():
        count, left = divmod(left, seconds)
        written += f"{count}{unit}" if count else ""
    return written or "0s"


def _without_unit(number: str) -> PydanticCustomError:
    if number.strip("0") == "":
        return wrong("a duration needs a unit: write 0s", instead="0s")
    if number.startswith("-"):
        return wrong("a duration cannot be negative")
    return wrong(f"a duration needs a unit: write {number}m or {number}s", instead=f"{number}m")


def _unreadable(text: str) -> PydanticCustomError:
    loose = text.lower().replace(" and ", " ").replace(",", " ")
    parts = _LOOSE_PART.findall(loose)
    known = all(unit[0] in _SECONDS and not unit.startswith(("mo", "ms")) for _, unit in parts)
    if parts and known and _LOOSE_PART.sub("", loose) == "":
        instead = "".join(number + unit[0] for number, unit in parts)
        return wrong(f"not a duration: write {instead}", instead=instead)
    return wrong("a duration is a whole number with s, m, h or d, as in 90s or 1h30m")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(render_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["90s", "10m", "1h30m"]}),
]
"""A length of time, written as `90s` or `1h30m`."""


# --- numbers and switches ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`, written without quotes, unit or decimal point."""

    least: int
    most: int

    def __call__(self, value: object) -> int:
        """Return the number; anything else that YAML makes of a carelessly written one is an error with the right
        text."""
        number = self._read(value)
        if isinstance(value, int) and not isinstance(value, bool):
            if self.least <= value <= self.most:
                return value
            raise wrong(f"must be from {self.least} to {self.most}")
        if number is not None and self.least <= number <= self.most:
            raise wrong(f"a whole number is wanted: write {number}", instead=str(number))
        raise wrong(f"must be a whole number from {self.least} to {self.most}")

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Make pydantic check with this object."""
        return core_schema.no_info_plain_validator_function(self)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the range for editors."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    @staticmethod
    def _read(value: object) -> int | None:
        """Return the number that was probably meant."""
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str) and (found := re.fullmatch(r"\s*([0-9]{1,9})\s*%?\s*", value, re.ASCII)):
            return int(found.group(1))
        return None


Percent = Annotated[int, Whole(0, 100)]
"""Per cent as a bare number: `5`, not `5%`."""


def _read_share(value: object) -> int:
    found = re.fullmatch(r"(100|[1-9][0-9]?)%", value, re.ASCII) if isinstance(value, str) else None
    if found is not None:
        return int(found.group(1))
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100:
        raise wrong(f"a share of the group, in per cent: write {value}%", instead=f"{value}%")
    raise wrong("a share of the group is written as 1% to 100%")


def _write_share(share: int) -> str:
    return f"{share}%"


Share = Annotated[
    int,
    BeforeValidator(_read_share),
    PlainSerializer(_write_share, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^(100|[1-9][0-9]?)%$", "examples": ["25%"]}),
]
"""A share of the group, from `1%` to `100%`; the value is the number in front of the sign."""


def _read_flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else None
    meant = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}.get(
        word or ""
    )
    if meant:
        raise wrong(f"write {meant}, without quotes", instead=meant)
    raise wrong("must be true or false")


Flag = Annotated[bool, BeforeValidator(_read_flag)]
"""`true` or `false`."""


def _read_flag_or_duration(value: object) -> bool | timedelta:
    is_duration = isinstance(value, timedelta) or (isinstance(value, str) and value[:1].isdigit())
    return parse_duration(value) if is_duration or type(value) is int else _read_flag(value)


def _write_flag_or_duration(value: bool | timedelta) -> bool | str:
    return render_duration(value) if isinstance(value, timedelta) else value


FlagOrDuration = Annotated[
    bool | timedelta,
    PlainValidator(_read_flag_or_duration),
    PlainSerializer(_write_flag_or_duration),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": DURATION_PATTERN}]}),
]
"""`true`, `false`, or `true` after a length of time, written as that."""


# --- text -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Matching:
    """Text that matches `pattern` from end to end; `says` completes the sentence "must be …"."""

    pattern: str
    says: str

    def __call__(self, value: str) -> str:
        """Return the text, or complain in words rather than in regular expressions."""
        if re.fullmatch(self.pattern, value, re.ASCII) is None:
            raise wrong(f"must be {self.says}")
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Make pydantic check that it is text, and then with this object."""
        return core_schema.no_info_after_validator_function(self, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the pattern for editors."""
        return {"type": "string", "pattern": f"^{self.pattern}$"}


Text = Annotated[str, Matching(r"[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*", "one line of text, not empty")]
GroupName = Annotated[
    str, Matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "letters, digits, '.', '_' and '-', at most 63")
]
AutoScalingGroupName = Annotated[
    str, Matching(r"[!-9;-~]{1,255}", "the name of an Auto Scaling group: no spaces, no ':', at most 255 characters")
]
Account = Annotated[str, Matching(r"[0-9]{12}", "the twelve digits of an AWS account, in quotes")]
Region = Annotated[str, Matching(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "the name of an AWS region, such as eu-west-1")]
RoleArn = Annotated[
    str,
    Matching(
        r"arn:[a-z0-9-]+:iam::[0-9]{12}:role/[\w+=,.@/-]+", "the ARN of an IAM role: arn:aws:iam::<account>:role/<name>"
    ),
]
Url = Annotated[str, Matching(r"https?://[^\s\x00-\x1f]+", "an address that starts with https:// or http://")]


# --- owners of images -------------------------------------------------------------------------------------------------


def _read_owner(owner: str) -> str:
    if owner == "self" or re.fullmatch(r"[0-9]{12}", owner, re.ASCII):
        return owner
    if owner in ("all", "any", "") or "*" in owner or "?" in owner:
        reason = "names no owner: any account could register an image of that name; write self or account ids"
        raise wrong(reason, instead="self")
    raise wrong('must be self, or the twelve digits of an AWS account in quotes: "137112412989"')


Owner = Annotated[str, AfterValidator(_read_owner), WithJsonSchema({"type": "string", "pattern": "^(self|[0-9]{12})$"})]
Owners = Annotated[tuple[Owner, ...], Field(min_length=1)]
"""Accounts whose images may be launched; never empty, never a wildcard."""
Architecture = Literal["x86_64", "arm64"]
