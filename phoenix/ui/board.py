"""What all viewers see: each group's record as the store has it now, and what AWS said at the last look.

Must never ask once per viewer: one thread watches the store, one looks at AWS, and every page is made from what they
have found. Must never let a group that cannot be read hide the others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from phoenix.core.image import Candidate
from phoenix.core.layers import ImageSeen
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.engine.look import look
from phoenix.engine.outlook import with_outlook
from phoenix.errors import PhoenixError
from phoenix.pages.entry import Entry
from phoenix.ui.answers import Answers

if TYPE_CHECKING:
    from phoenix.engine.group import Group
    from phoenix.wiring import Wiring

log = logging.getLogger(__name__)

FEW: Final = 100
"""As many records are read with every turn: one call to any store. Of more groups only those that something happens to
are, and all of them twice a minute."""
_SOON: Final = timedelta(minutes=2)
"""A group that a driver has is due when its lease ends: so those due within this time have drivers."""


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds. `turn` between two reads of the store while there are viewers, `idle` without any; `everything`
    between two reads of all records, `policies` of all policies. `shown` is how old a look at a group that is on a page
    may be, `flying` at one in flight, `resting` at any other; `between` two looks there is at least that much."""

    turn: float = 1.0
    idle: float = 30.0
    everything: float = 30.0
    policies: float = 60.0
    shown: float = 10.0
    flying: float = 30.0
    resting: float = 600.0
    between: float = 0.5
    viewers: float = 45.0


@dataclass(slots=True)
class _Known:
    """One group, and when it was last looked at and asked for, by the clock's `elapsed`."""

    entry: Entry
    group: Group | None = None
    looked_at: float | None = None
    shown_at: float | None = None
    history: tuple[int, tuple[Rotation, ...]] | None = None
    changed: int = 0


@dataclass(slots=True)
class _Times:
    everything: float | None = None
    policies: float | None = None
    looked: float | None = None
    viewed: float | None = None


class Board:
    """Thread-safe. `watch` and `look_once` are one turn each of the two threads that `open` starts."""

    def __init__(self, wiring: Wiring, pace: Pace | None = None) -> None:
        self._wiring, self._pace = wiring, pace or Pace()
        self._known: dict[str, _Known] = {}
        self._times = _Times()
        self._answers = Answers(wiring.clock.elapsed, self._pace.shown)
        self._lock = threading.RLock()
        self._wires = threading.Lock()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._serial = 0
        self._trouble = ""

    # --- for pages ----------------------------------------------------------------------------------------------------

    @property
    def serial(self) -> int:
        """Rises with every change; a page is told to draw itself anew when a group of its has changed since."""
        return self._serial

    @property
    def closed(self) -> bool:
        """True once the server ends."""
        return self._stop.is_set()

    @property
    def trouble(self) -> str:
        """Why policies or store could not be read at the last turn; empty if they could."""
        return self._trouble

    def now(self) -> datetime:
        """The time now, by the clock of all groups."""
        return self._wiring.clock.now()

    def entries(self) -> list[Entry]:
        """Every group, by name."""
        self._note_viewer()
        with self._lock:
            return [self._known[name].entry for name in sorted(self._known)]

    def entry(self, name: str) -> Entry | None:
        """One group on a page: it is asked about more often from now on. None: there is no such group."""
        self._note_viewer(name)
        with self._lock:
            known = self._known.get(name)
            return known.entry if known is not None else None

    def history(self, name: str) -> Sequence[Rotation]:
        """The rotations of a group, newest first; read again only when its record has changed."""
        with self._lock:
            known = self._known.get(name)
            version = known.entry.version if known is not None else 0
            if known is None or (known.history is not None and known.history[0] == version):
                return known.history[1] if known is not None and known.history is not None else ()
        rotations = tuple(self._wiring.store().history(name))
        with self._lock:
            known.history = (version, rotations)
        return rotations

    def candidates(self, name: str) -> Sequence[Candidate]:
        """The images that the group could be rotated to; empty where it has no policy.

        Raises:
            PhoenixError: AWS did not say.
        """
        with self._lock:
            known = self._known.get(name)
        group = self._wired(name, known) if known is not None else None
        source = group.images if group is not None else None
        return () if source is None else self._answers.of(name, lambda: source.candidates(self.now()))

    def image(self, name: str, image: str) -> ImageSeen | None:
        """One image of a group, with its layers; None for any but those that a page of it names: each is a call.

        Raises:
            PhoenixError: AWS did not say.
        """
        entry = self.entry(name)
        record = entry.record if entry is not None else None
        recorded = [each.image for each in record.quarantine] if record is not None else []
        recorded += [record.live.image] if record is not None and record.live is not None else []
        if image not in recorded and all(image != each.image.id for each in self.candidates(name)):
            return None
        return self._answers.of((name, image), lambda: self._wiring.image_seen(image, name))

    def changed_since(self, serial: int) -> list[str]:
        """The groups that have changed since then. A page that stays open keeps asking, and so counts as a viewer."""
        self._note_viewer()
        if serial == self._serial:
            return []
        with self._lock:
            return sorted(name for name, known in self._known.items() if known.changed > serial)

    # --- the two threads ----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Read the store once, and go on watching beside."""
        self.watch()
        for name, work in (("watch", self._watch_on), ("look", self._look_on)):
            threading.Thread(target=work, name=f"ui-{name}", daemon=True).start()

    def close(self) -> None:
        """Have both threads end with their present turn."""
        self._stop.set()
        self._wake.set()

    def watch(self) -> None:
        """Read the records that may have changed."""
        try:
            self._read_policies()
            wanted = self._wanted()
            records = self._wiring.store().load_many(wanted)
            self._trouble = ""
        except PhoenixError as error:
            log.warning("ui.not_read", extra={"reason": error.message})
            self._trouble = error.message
            return
        with self._lock:
            for name in wanted:
                self._take(name, records.get(name))

    def look_once(self) -> str | None:
        """Look at the group that needs it most; returns its name, or None where every look is fresh enough."""
        name = self._most_stale()
        if name is None:
            return None
        with self._lock:
            known = self._known[name]
            known.looked_at = self._times.looked = self._wiring.clock.elapsed()
        try:
            group = self._wired(name, known)
            found = replace(
                known.entry,
                report=None if group is None else with_outlook(group, look(group, closely=False)),
                trouble="",
            )
        except PhoenixError as error:
            found = replace(known.entry, trouble=error.message)
        with self._lock:
            self._change(name, lambda before: replace(before, report=found.report, trouble=found.trouble))
        return name

    def _watch_on(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._pace.turn if self._has_viewers() else self._pace.idle)
            self._wake.clear()
            if not self._stop.is_set():
                self.watch()
                self._stop.wait(self._pace.turn / 4)  # however many viewers come at once

    def _look_on(self) -> None:
        while not self._stop.wait(self._pace.between):
            self.look_once()

    # --- groups that are due ------------------------------------------------------------------------------------------

    def _note_viewer(self, name: str | None = None) -> None:
        with self._lock:
            before, now = self._times.viewed, self._wiring.clock.elapsed()
            self._times.viewed = now
            if name is not None and name in self._known:
                self._known[name].shown_at = now
        if before is None or now - before > self._pace.turn:
            self._wake.set()

    def _has_viewers(self) -> bool:
        return self._is_fresh(self._times.viewed, self._pace.viewers)

    def _is_fresh(self, at: float | None, seconds: float) -> bool:
        return at is not None and self._wiring.clock.elapsed() - at < seconds

    def _read_policies(self) -> None:
        if self._is_fresh(self._times.policies, self._pace.policies):
            return
        with self._wires:
            self._wiring.reread()
            names = self._wiring.group_names()
        with self._lock:
            self._times.policies = self._wiring.clock.elapsed()
            if {*names} != {*self._known}:
                self._serial += 1
            self._known = {name: self._known.get(name) or _Known(Entry(name), changed=self._serial) for name in names}
            for known in self._known.values():
                known.group = None  # its policy may be another one

    def _wanted(self) -> list[str]:
        with self._lock:
            names = list(self._known)
            if len(names) <= FEW or not self._is_fresh(self._times.everything, self._pace.everything):
                self._times.everything = self._wiring.clock.elapsed()
                return names
            now = {name for name, known in self._known.items() if self._is_shown(known) or known.entry.in_flight}
        driven = self._wiring.store().due(self._wiring.clock.now() + _SOON)
        return [name for name in names if name in {*now, *driven}]

    def _is_shown(self, known: _Known) -> bool:
        return self._is_fresh(known.shown_at, self._pace.viewers)

    def _most_stale(self) -> str | None:
        """The group whose look is the most overdue: none while there are no viewers."""
        if not self._has_viewers() or self._is_fresh(self._times.looked, self._pace.between):
            return None
        with self._lock:
            overdue = {name: self._overdue(known) for name, known in self._known.items()}
        name = max(overdue, key=lambda each: overdue[each], default=None)
        return name if name is not None and overdue[name] >= 1 else None

    def _overdue(self, known: _Known) -> float:
        pace = self._pace
        limit = pace.shown if self._is_shown(known) else pace.flying if known.entry.in_flight else pace.resting
        if known.looked_at is None:
            return 1e9 if self._is_shown(known) else 1e6
        return (self._wiring.clock.elapsed() - known.looked_at) / limit

    # --- the last looks -----------------------------------------------------------------------------------------------

    def _wired(self, name: str, known: _Known) -> Group | None:
        if known.group is None:
            with self._wires:
                known.group = self._wiring.group(name)
        return known.group

    def _take(self, name: str, record: GroupRecord | None) -> None:
        known = self._known.get(name)
        if known is None or record is None or record.version == known.entry.version:
            return
        before = known.entry.in_flight
        self._change(name, lambda entry: replace(entry, record=record))
        if self._is_shown(known) or known.entry.in_flight is not before:
            known.looked_at = None  # something has happened: what AWS says is wanted anew

    def _change(self, name: str, change: Callable[[Entry], Entry]) -> None:
        known = self._known.get(name)
        if known is not None:
            known.entry = change(known.entry)
            self._serial += 1
            known.changed = self._serial
