"""Gates: checks on the candidate.

How to add one: a module with `class Settings(GateKeys)` for its keys in the policy and a class that satisfies
`phoenix.ports.Gate`, is made from `(settings, scope)`, and lists the rights it needs in `IAM_ACTIONS` (for `FORWARD`:
plan and `status` ask gates too, a rollback asks none) and its checks before a start in `checks`; an import and a line
in `KINDS` below. Then: `phoenix policy schema > docs/policy.schema.json` and `make iam`; the keys that it requires, and
a fake of a service that the sandbox does not have, in `tests/contract/test_gate_contract.py`, whose tests then hold for
it too; a policy with it in `tests/iam/runs.py`, since every right that is granted has to be used there; its own tests
in `tests/gates`; its row in `docs/policy.md`; a line in CHANGELOG.md.

Rules for a gate:

- **Time.** A check has `GATE_BUDGET` (22 s) for everything, all instances included; a time-out in `Settings` is bounded
  below that. A later answer counts as WAIT. All gates are asked side by side, each in a thread of its own, and a check
  that has not returned is not started again.
- **When.** At every look, some seconds apart, from the first instance on. With `before_traffic_only` the checks end
  when the candidate gets traffic; else they go on until the last bake is over. `judges_alone` is for gates that ask no
  service.
- **Order.** Before there is traffic, phoenix reports the policy's first gate that does not pass; the implied gate comes
  first. With traffic it reports every gate, and the first FAIL counts.
- **WAIT or FAIL.** FAIL ends the rotation at once; WAIT may last until `timeouts.rotation`. A check that cannot be made
  is WAIT with `Cause.ENVIRONMENT`. An error from AWS is raised: it spoils the whole observation, and the next tick
  repeats it. The cause of a FAIL decides the fate of the image: `IMAGE` quarantines it, `ENVIRONMENT` tries again
  later.
- **Memory.** A gate is made anew in every process and every invocation of the function: a value in `self` may save a
  call, and must never decide. What has to last is the verdict's `memo`, one line of a few kB at most. The rotation's
  record keeps it, and the next look has it as `rotation.memo_of(self.name)`, also if looks between the two did not ask
  this gate, or its answer came too late. Gates of one name share a memo.
- **Suites.** A gate that begins something in the owner's world (a program, a function) says so with `begins_something`:
  only a driver asks it then; `plan` and `status` show what the record has. `gates/acceptance.py` is what such gates
  have in common, and all that they need besides `Settings(AcceptanceKeys)` is one question and its answer.
- **Keys.** `Settings` derives from `GateKeys`, and overrides those of its answers that differ: what it lacks without a
  load balancer (`needs_traffic`), whether a policy lists it once at most (`is_single`), whether it has to pass before
  there is traffic (`precedes_traffic`; in place, new instances are held for it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phoenix.gates.alarm import AlarmGate
from phoenix.gates.capacity import InServiceGate, TargetHealthGate
from phoenix.gates.command import CommandGate
from phoenix.gates.document import SsmGate
from phoenix.gates.function import LambdaGate
from phoenix.gates.http import HttpGate
from phoenix.gates.metrics import MetricsGate
from phoenix.gates.webhook import WebhookGate

_Kind = type[
    AlarmGate
    | CommandGate
    | HttpGate
    | InServiceGate
    | LambdaGate
    | MetricsGate
    | SsmGate
    | TargetHealthGate
    | WebhookGate
]

KINDS: Final[Mapping[str, _Kind]] = {
    "target_health": TargetHealthGate,
    "in_service": InServiceGate,
    "alarm": AlarmGate,
    "http": HttpGate,
    "command": CommandGate,
    "lambda": LambdaGate,
    "ssm": SsmGate,
    "webhook": WebhookGate,
    "metrics": MetricsGate,
}
