"""Gates: checks on the candidate.

How to add one: a module with `class Settings(Kind)` for its keys in the policy and a class that satisfies
`phoenix.ports.Gate`, is made from `(settings, scope)` and lists the rights it needs in `IAM_ACTIONS` and what it looks
for before a start in `checks`; a line in `KINDS` below; and its name in `tests/contract`, whose tests then hold for it
too. Nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phoenix.gates.alarm import AlarmGate
from phoenix.gates.http import HttpGate
from phoenix.gates.in_service import InServiceGate
from phoenix.gates.target_health import TargetHealthGate

KINDS: Final[Mapping[str, type[AlarmGate | HttpGate | InServiceGate | TargetHealthGate]]] = {
    "target_health": TargetHealthGate,
    "in_service": InServiceGate,
    "alarm": AlarmGate,
    "http": HttpGate,
}
