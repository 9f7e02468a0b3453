"""News to the log.

Must never put facts into the event's name: they are fields.
"""

from __future__ import annotations

import logging
from typing import ClassVar, Literal

from phoenix.aws.rights import Rights
from phoenix.aws.scope import Scope
from phoenix.core.notice import Notice
from phoenix.keys import Kind

log = logging.getLogger("phoenix.news")  # lines of this logger are written at any level of PHOENIX_LOG


class Settings(Kind):
    """`{kind: log}` has no keys of its own."""

    kind: Literal["log"] = "log"


class LogNotifier:
    """News as log lines with the event name `news`."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = frozenset()
    name = "log"

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._group = scope.group

    def notify(self, notice: Notice) -> None:
        """Write one line; the facts are one field, so that none of them can pass for a field of the line itself."""
        told = {"notice": notice.id, "subject": notice.subject, "text": notice.text, "facts": dict(notice.facts)}
        log.info("news", extra={"group": self._group, **told})
