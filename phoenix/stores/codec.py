"""Records and rotations as JSON, the same in every store.

Must never guess: a record that a newer phoenix wrote is refused, because a field that we do not know may be the one
that a rollback depends on. Fields that an older phoenix did not know yet take their defaults.
"""

from __future__ import annotations

from functools import cache

from pydantic import ConfigDict, TypeAdapter, ValidationError

from phoenix.core.record import GroupRecord, Rotation
from phoenix.errors import StoreError

# Pydantic takes a configuration for a container, not for a plain dataclass; its members inherit it. Hence the tuples.
_EXACTLY = ConfigDict(strict=True, extra="forbid")


@cache
def _records() -> TypeAdapter[tuple[GroupRecord]]:
    return TypeAdapter(tuple[GroupRecord], config=_EXACTLY)


@cache
def _rotations() -> TypeAdapter[tuple[Rotation]]:
    return TypeAdapter(tuple[Rotation], config=_EXACTLY)


def encode_record(record: GroupRecord) -> str:
    """Write the record as one JSON object."""
    return _records().dump_json((record,))[1:-1].decode()


def encode_rotation(rotation: Rotation) -> str:
    """Write the rotation as one JSON object."""
    return _rotations().dump_json((rotation,))[1:-1].decode()


def decode_record(text: str, where: str) -> GroupRecord:
    """Read what `encode_record` wrote; `where` names the store in errors.

    Raises:
        StoreError: it is damaged, or a newer phoenix wrote it.
    """
    try:
        return _records().validate_json(f"[{text}]")[0]
    except ValidationError as error:
        raise _unreadable("record", where, error) from None


def decode_rotation(text: str, where: str) -> Rotation:
    """Read what `encode_rotation` wrote; `where` names the store in errors.

    Raises:
        StoreError: it is damaged, or a newer phoenix wrote it.
    """
    try:
        return _rotations().validate_json(f"[{text}]")[0]
    except ValidationError as error:
        raise _unreadable("rotation", where, error) from None


def _unreadable(what: str, where: str, error: ValidationError) -> StoreError:
    wrong = error.errors(include_url=False, include_input=False)
    unknown = [each for each in wrong if each["type"] == "unexpected_keyword_argument"]
    first = (unknown or wrong)[0]
    path = ".".join(str(part) for part in first["loc"][1:])
    if unknown:
        return StoreError(
            f"a {what} in {where} has the field {path!r}, which this version of phoenix does not know: "
            "a newer one has written it, so upgrade this one"
        )
    return StoreError(
        f"a {what} in {where} cannot be read ({path or 'all of it'}: {first['msg']}): "
        "restore the store, or move it away and run phoenix repair --adopt"
    )
