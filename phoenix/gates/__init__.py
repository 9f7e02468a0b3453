"""Gates: checks on the candidate.

How to add one: a module with `class Settings(Kind)` for its keys in the policy and a class that satisfies
`phoenix.ports.Gate`, is made from `(settings, scope)`, and lists the rights it needs in `IAM_ACTIONS` and what it looks
for before a start in `checks`; an import and a line in `KINDS` below. Then: `phoenix policy schema >
docs/policy.schema.json` and `make iam`; settings for it, and a fake of what it asks, in `tests/contract`, whose tests
then hold for it too; its own tests in `tests/gates`; its row in `docs/policy.md`; a line in CHANGELOG.md.

What it has to know:

- **Time.** A check has `GATE_BUDGET` (22 s) for everything, all instances included; a time-out in `Settings` is bounded
  below that. An answer that comes later counts as WAIT. All gates are asked side by side, each in a thread of its own,
  and a check that has not returned is not begun again.
- **When.** At every look, some seconds apart, from the first instance on. With `before_traffic_only` that ends when the
  candidate gets traffic; else it goes on until the last bake is over. `judges_alone` is for gates that ask no service.
- **Order.** Before there is traffic the first gate of the policy that does not pass is the one that is told of, and the
  implied gate comes first. With traffic every gate is told of, and the first FAIL counts.
- **WAIT or FAIL.** FAIL ends the rotation at once; WAIT may last until `timeouts.rotation`. What cannot be asked or
  measured is WAIT with `Cause.ENVIRONMENT`. An error from AWS is raised: it spoils the whole look, and the next repeats
  it. The cause of a FAIL decides what becomes of the image: `IMAGE` quarantines it, `ENVIRONMENT` tries again later.
- **Memory.** A gate is made anew in every process, and for every invocation of the function: what it keeps in `self`
  may save a call, and must never decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phoenix.gates.alarm import AlarmGate
from phoenix.gates.capacity import InServiceGate, TargetHealthGate
from phoenix.gates.http import HttpGate

KINDS: Final[Mapping[str, type[AlarmGate | HttpGate | InServiceGate | TargetHealthGate]]] = {
    "target_health": TargetHealthGate,
    "in_service": InServiceGate,
    "alarm": AlarmGate,
    "http": HttpGate,
}
