"""Find all flaws of one document at once.

A model stops at the first flaw in a value, and keys can only be compared in a valid policy. So flaws are mended in
memory, or their values left out, and the keys of the mended policy are compared. Must never let that mended policy
leave here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import ValidationError

from phoenix.keys import Keys
from phoenix.policy.checks import Complaint
from phoenix.policy.document import Document, Flaw, Unreadable, read
from phoenix.policy.problems import Found, find_flaws, label, place
from phoenix.policy.tree import Mapping, Node, Path, follow, placed, plain, replaced

M = TypeVar("M", bound=Keys)
_ROUNDS: Final = 6


@dataclass(frozen=True, slots=True)
class Judged(Generic[M]):
    """The values of a document if it has no flaws; else its flaws."""

    value: M | None
    flaws: tuple[Flaw, ...]


def judge(document: Document, model: type[M], check: Callable[[M], Iterator[Complaint]]) -> Judged[M]:
    """Read the document as this model, and compare its keys."""
    root, flaws = document.root, list(document.flaws)
    if not isinstance(root, Mapping):
        return Judged(None, (*flaws, Flaw(root.span, "must be a mapping of keys, such as group: web")))
    try:
        value = model.model_validate(plain(root))
    except ValidationError as error:
        found = list(find_flaws(error, root, model))
        flaws += [each.flaw for each in found if not each.told]
        flaws += _flaws_beyond(root, model, check, found)
        return Judged(None, tuple(flaws))
    flaws += [_flaw(complaint, root) for complaint in check(value)]
    return Judged(None if flaws else value, tuple(flaws))


def _flaws_beyond(
    root: Node, model: type[M], check: Callable[[M], Iterator[Complaint]], found: list[Found]
) -> list[Flaw]:
    """Compare the keys once the known flaws are mended, and find what an unknown kind has hidden: its keys are judged
    as those of the kind that was meant. Find nothing more if a flaw cannot be mended."""
    wrong = [_resolved(root, each.path) for each in found]
    hidden: list[Flaw] = []
    kinds = _guessed(found)
    for _ in range(_ROUNDS):
        for each in reversed(found):  # from the end, so that a removal does not move the places still to come
            mended = _mended(root, each)
            if mended is None:
                return hidden
            root = mended
        try:
            value = model.model_validate(plain(root))
        except ValidationError as error:
            found = list(find_flaws(error, root, model))
            hidden += [each.flaw for each in found if not each.told and _is_below(each, kinds)]
            kinds |= _guessed(found)
            continue
        sure = (complaint for complaint in check(value) if not _rests_on(complaint, wrong))
        return [*hidden, *(_flaw(complaint, root) for complaint in sure)]
    return hidden


def _guessed(found: list[Found]) -> set[Path]:
    """Return the mappings whose kind is unknown and was guessed."""
    return {each.path[:-1] for each in found if each.path[-1:] == ("kind",) and each.stand_in is not None}


def _is_below(found: Found, kinds: set[Path]) -> bool:
    return any(found.path[: len(kind)] == kind for kind in kinds)


def _mended(root: Node, found: Found) -> Node | None:
    """Return the tree with the right text at the flaw, or else without the flaw's value."""
    try:
        new = placed(read(found.stand_in).root, found.flaw.span) if found.stand_in is not None else None
    except Unreadable:
        new = None
    return replaced(root, found.path, new)


def _rests_on(complaint: Complaint, wrong: list[Path]) -> bool:
    return any(path[: len(about)] == about or about[: len(path)] == path for about in complaint.about for path in wrong)


def _resolved(root: Node, path: Path) -> Path:
    """Return the path without the parts that only the models know; its last part may be a missing key."""
    taken: list[str | int] = []
    for number, part in enumerate(path, start=1):
        root, _, found = follow(root, (part,))
        if found or number == len(path):
            taken.append(part)
    return tuple(taken)


def _flaw(complaint: Complaint, root: Node) -> Flaw:
    return Flaw(place(root, complaint.at), label(root, complaint.at) + complaint.reason, complaint.instead)
