"""Routers: how traffic reaches the slots.

How to add one: a module with `class Settings(Kind)` for its keys in the policy and a class that satisfies
`phoenix.ports.Router`, is made from `(settings, scope)` and lists the rights it needs in `IAM_ACTIONS`; a line in
`KINDS` below; and its name in `tests/contract`, whose tests then hold for it too. Nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phoenix.routers.alb import AlbRouter
from phoenix.routers.none import NoRouter

KINDS: Final[Mapping[str, type[AlbRouter | NoRouter]]] = {"alb": AlbRouter, "none": NoRouter}
