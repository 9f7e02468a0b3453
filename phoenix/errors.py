"""Every error phoenix raises on purpose, and how a driver reacts.

Two branches decide behaviour: after a TransientError the next tick simply tries again; a PermanentError needs a person.
The others end a command before it has changed anything. An error says what, where, and what to do; `hint` holds the
last part if it deserves a line of its own. Must never know a library's exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta


class PhoenixError(Exception):
    """Base of all errors whose text is meant for the operator.

    `exit_status` is the one of section 7 of the contract; `code` is the stable word that JSON output carries.
    """

    exit_status = 1
    code = "failed"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class TransientError(PhoenixError):
    """An error that will probably pass; the next tick retries."""

    code = "transient"


class PermanentError(PhoenixError):
    """An error that does not pass by itself: the rotation is held until a person acts."""

    code = "permanent"


class Throttled(TransientError):
    """AWS asked us to slow down, even after the client's own retries."""

    code = "throttled"


class Unreachable(TransientError):
    """No answer from an endpoint: a name, a network or a server is down."""

    code = "unreachable"


class NotFound(PermanentError):
    """AWS knows no such resource. Right after a create that may pass; the adapter decides."""

    code = "not_found"


class UnknownNames(NotFound):
    """AWS does not know these names, which a policy gives. `names` maps each to similar names that AWS knows."""

    def __init__(self, kind: str, names: Mapping[str, Sequence[str]], *, hint: str | None = None) -> None:
        super().__init__("\n".join(_unknown(kind, name, near) for name, near in names.items()), hint=hint)
        self.kind, self.names = kind, names

    def placed(self, place_of: Callable[[str], str | None]) -> str:
        """The message; each line begins with the place of its name in a policy file, if that is known."""
        lines = zip(self.names, self.message.splitlines(), strict=True)
        return "\n".join(f"{place}: {line}" if (place := place_of(name)) else line for name, line in lines)


def _unknown(kind: str, name: str, near: Sequence[str]) -> str:
    return f"no {kind} {name}" + (f"; did you mean {' or '.join(near)}?" if near else "")


class LimitReached(PermanentError):
    """A limit of AWS is reached. A person makes room or has the limit raised; the image is not at fault."""


class AccessDenied(PermanentError):
    """Credentials are missing, expired, or lack a right; `operation` is the refused API call."""

    code = "access_denied"

    def __init__(self, message: str, *, operation: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.operation = operation


class StateConflict(TransientError):
    """Another tick saved this group's record first; this one changed nothing."""

    code = "conflict"

    def __init__(self, group: str, expected: int) -> None:
        super().__init__(f"the record of {group!r} moved past version {expected}; the next tick will reload it")
        self.group, self.expected = group, expected


class LeaseHeld(PhoenixError):
    """Another driver has this group's lease."""

    exit_status = 4
    code = "lease_held"

    def __init__(self, group: str, owner: str, since: datetime, until: datetime) -> None:
        super().__init__(
            f"{group} is being driven by {owner} since {since:%Y-%m-%d %H:%M:%S} UTC "
            f"(its lease runs until {until:%H:%M:%S} UTC unless renewed)",
            hint=f"phoenix status --group {group}",
        )
        self.group, self.owner, self.since, self.until = group, owner, since, until


class LeaseLost(PhoenixError):
    """Another driver took this group's lease from us; we stopped before our next action."""

    exit_status = 4
    code = "lease_lost"

    def __init__(self, group: str, taken_by: str | None) -> None:
        super().__init__(f"{group} was taken over by {taken_by or 'another driver'}; stopped before the next action")
        self.group, self.taken_by = group, taken_by


class LeaseRanOut(TransientError):
    """Too little of the lease was left to send a request; the next tick renews the lease and looks again."""

    code = "lease_ran_out"

    def __init__(self, group: str, left: timedelta, needed: timedelta, *, signed_for: timedelta | None = None) -> None:
        waited = f", signed {signed_for.total_seconds():.0f} s ago," if signed_for is not None else ""
        super().__init__(
            f"a request{waited} was not sent: {left.total_seconds():.0f} s of the lease of {group} are left, and it "
            f"may be on its way for {needed.total_seconds():.0f} s; the next tick renews the lease and looks again"
        )
        self.group = group


class StoreError(PhoenixError):
    """The store cannot be read or written."""

    code = "store"


class Blocked(PhoenixError):
    """A blocker stands in the way of a start; nothing was changed."""

    exit_status = 5
    code = "blocked"


class LostRecord(Blocked):
    """The groups' tags tell of a rotation in flight that the store has no record of."""

    code = "lost_record"

    def __init__(self, group: str, rotation: str) -> None:
        super().__init__(
            f"rotation {rotation} of {group} was in flight when its record was lost; nothing can start before it is "
            "brought back",
            hint=f"phoenix repair --group {group}",
        )
        self.group, self.rotation = group, rotation


class ForeignStore(PhoenixError):
    """Another store has a rotation of this group that is in flight, or that is later than any in this store."""

    exit_status = 4
    code = "foreign_store"

    def __init__(self, group: str, other: str, ours: str) -> None:
        super().__init__(
            f"a rotation of {group} belongs to another store: {other}, not {ours}",
            hint=f"phoenix status --group {group} says who is live; while that rotation moves, "
            f"phoenix rollback --group {group} works without either store; "
            f"if that store is lost, phoenix repair --adopt --group {group}",
        )
        self.group, self.other = group, other


class UsageError(PhoenixError):
    """The command line or the environment is wrong."""

    exit_status = 2
    code = "usage"


class UnknownGroup(UsageError):
    """No policy is about this group; `suggestions` are the nearest names, best first."""

    code = "unknown_group"

    def __init__(self, group: str, where: str, suggestions: Sequence[str] = ()) -> None:
        known = f"; did you mean {' or '.join(suggestions)}?" if suggestions else ""
        super().__init__(f"no policy for group {group!r} in {where}{known}", hint="phoenix status")
        self.group, self.suggestions = group, tuple(suggestions)


class InvalidPolicy(UsageError):
    """One or more policy files are wrong; `problems` are complete lines `file:line:column: message`."""

    code = "invalid_policy"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems), hint="phoenix policy validate")
        self.problems = tuple(problems)


class Interrupted(PhoenixError):
    """A signal asked the driver to stop; the rotation in flight goes on with the next tick."""

    exit_status = 130
    code = "interrupted"


class ForeignWeights(PermanentError):
    """Another writer has changed the weights that a rotation was about to raise; that route was not written."""

    code = "foreign_weights"

    def __init__(self, route: str, expected: str, found: int) -> None:
        super().__init__(f"weight on {route} is {found} %, not {expected}: another writer changed it")
        self.route, self.expected, self.found = route, expected, found
