"""Records and rotations as JSON, the same in every store.

Must never guess: a record with an unknown field is refused, because a rollback may depend on that field. An unknown
field that is empty is ignored. Missing fields take their defaults.

Must import nothing that takes long: a rollback reads its record before it does anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from phoenix.core.note import Note
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.temporary import Ledger
from phoenix.errors import StoreError
from phoenix.stores import entries
from phoenix.stores.formats import FORMAT, Json, note_of_today, record_of_today, rotation_of_today

T = TypeVar("T", GroupRecord, Rotation, Note)

_NOTHING: Final[tuple[object, ...]] = (None, "", [], {})
"""Values of an unused field, in any version of phoenix: most fields begin with one of them."""
_ENTRIES: Final = list[entries.SpelledEntry]
_layout: Callable[[Any], inspect.Type] = cache(inspect.type_info)


def encode_record(record: GroupRecord) -> str:
    """Write the record as one JSON object."""
    return _encoded(record)


def encode_rotation(rotation: Rotation) -> str:
    """Write the rotation as one JSON object."""
    return _encoded(rotation)


def encode_note(note: Note) -> str:
    """Write the note as one JSON object."""
    return _encoded(note)


def _encoded(value: GroupRecord | Rotation | Note) -> str:
    return msgspec.json.encode({"format": FORMAT, **msgspec.to_builtins(value, enc_hook=_spell)}).decode()


def _spell(value: object) -> object:
    """Spell values that are not plain dataclasses as a record does."""
    if isinstance(value, Ledger):
        return entries.spell(value)
    raise NotImplementedError(f"no record has a {type(value).__name__}")


def _read(kind: type, written: object) -> object:
    """The inverse of `_spell`."""
    if kind is Ledger:
        return entries.read(msgspec.convert(written, _ENTRIES))
    raise NotImplementedError(f"no record has a {kind.__name__}")


def as_text(at: datetime) -> str:
    """Spell a time for keys and columns: always in the same shape, so that the texts sort as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def decode_record(text: str, where: str) -> GroupRecord:
    """Read what `encode_record` wrote; `where` names the store in errors.

    Raises:
        StoreError: it is damaged, or only another version of phoenix understands it.
    """
    return _decoded(text, GroupRecord, record_of_today, f"a record in {where}")


def decode_rotation(text: str, where: str) -> Rotation:
    """Read what `encode_rotation` wrote; `where` names the store in errors.

    Raises:
        StoreError: it is damaged, or only another version of phoenix understands it.
    """
    return _decoded(text, Rotation, rotation_of_today, f"a rotation in {where}")


def decode_note(text: str, where: str) -> Note:
    """Read what `encode_note` wrote, or an earlier version under the same key; `where` names the store in errors.

    Raises:
        StoreError: it is damaged, or only another version of phoenix understands it.
    """
    return _decoded(text, Note, note_of_today, f"a note in {where}")


def _decoded(text: str, kind: type[T], of_today: Callable[[Json, int], Json], which: str) -> T:
    try:
        written = msgspec.json.decode(text, type=dict[str, Any])
        format_ = written.pop("format", 1)
        if not isinstance(format_, int) or format_ > FORMAT:
            raise StoreError(
                f"{which} was written by a later version of phoenix, in format {format_}, and this one reads formats 1 "
                f"to {FORMAT}: upgrade it"
            )
        written = of_today(written, format_)
        # First: a record of another version may be unreadable for other reasons too, and those would mislead.
        unknown = next(_unknown_fields(written, _layout(kind)), None)
        if unknown is not None:
            raise StoreError(
                f"{which} has the field {unknown!r}, which only another version of phoenix knows: "
                "finish what is in flight with that version, or, if it is the newer one, upgrade this one"
            )
        return msgspec.convert(written, kind, dec_hook=_read)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"{which} cannot be read ({error}): restore the store, or move it away and run phoenix repair --adopt"
        ) from None


def _unknown_fields(written: Any, kind: inspect.Type, at: str = "") -> Iterator[str]:
    """List the paths of all non-empty fields that the dataclasses lack: msgspec ignores them silently."""
    for each in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        for name, part, kind_of_part in _parts(written, each):
            if kind_of_part is None:
                if part not in _NOTHING:
                    yield at + name
            else:
                yield from _unknown_fields(part, kind_of_part, f"{at}{name}.")


def _parts(written: Any, kind: inspect.Type) -> list[tuple[str, Any, inspect.Type | None]]:
    """Yield each inner value with its name and its expected type; None for a field that should not exist."""
    match kind, written:
        case inspect.DataclassType(), dict():
            known = {field.encode_name: field.type for field in kind.fields}
            return [(name, part, known.get(name)) for name, part in written.items()]
        case inspect.DictType(), dict():
            return [(key, part, kind.value_type) for key, part in written.items()]
        case inspect.CustomType(cls=cls), list() if cls is Ledger:
            return _parts(written, _layout(_ENTRIES))
        case inspect.VarTupleType(item_type=inspect.NamedTupleType()), list():
            return []  # rows of plain values: msgspec counts them, and no decision depends on one
        case ((inspect.VarTupleType() | inspect.ListType()), list()):
            return [(str(place), part, kind.item_type) for place, part in enumerate(written)]
        case _:  # a plain value, or a wrong one, which msgspec will report
            return []
