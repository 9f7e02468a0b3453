"""Orchestrators: what places work on a group's instances, and takes it away before they leave.

How to add one: a module with `class Settings(LeavingKeys)` for its keys in the policy and a class that satisfies
`phoenix.orchestrator.Orchestrator`, is made from `(settings, scope)`, and lists the rights it needs in `IAM_ACTIONS`
(`ENDS` among them) and its checks before a start in `checks`; an import and a line in `KINDS` below. Then: `phoenix
policy schema > docs/policy.schema.json` and `make iam`; the keys that it requires, and a fake of a service that the
sandbox does not have, in `tests/contract/test_leaving_contract.py`, whose tests then hold for it too; a policy with it
in `tests/iam/runs.py` if it calls AWS; its own tests in `tests/leaving`; its row in `docs/policy.md`; a line in
CHANGELOG.md.

Rules for an orchestrator:

- **Absolute.** `drain` and `undrain` say how things are to be. Called twice they do nothing twice; what cannot be done
  twice is found again by the rotation's id.
- **Stages.** `ACTIVE` and `PARTLY` are told again with the next look, `LEAVING` is waited for, `DRAINED` and `ABSENT`
  let the instance leave. One that the service does not know is left out of the answer.
- **Errors.** An error while observing makes the stage unknown, and time goes on. One while draining holds the rotation
  if it is permanent.
- **Time.** A look is acted upon for 30 s: `observe` has `BUDGET` (`phoenix.engine.working`) for everything.
- **Other people's.** What a person has drained before is not made usable again; the core sees to that.

A registry of `discovery` is an orchestrator whose work is to be found: a line in `REGISTRIES`, a bench in
`tests/contract/test_registries_contract.py`, a policy in `tests/iam/runs_discovery.py`. Besides the rules above:

- **Stages.** `ACTIVE`: clients find the instance. `LEAVING`: it is withdrawn, and clients may know it yet. `DRAINED`:
  they do not find it; `undrain` announces it. `ABSENT`: another writer's business. `PARTLY`: announced, and not found.
- **Every instance that is asked about has an answer**, and so does each that phoenix has announced for the group before
  and that was not asked about: it may have ended by itself.
- **First writes.** A rollback asks nothing before traffic has moved: `undrain` itself reads which registrations are
  missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phoenix.leaving.cloud_map import CloudMap
from phoenix.leaving.consul import Consul, Registry
from phoenix.leaving.ecs import Ecs
from phoenix.leaving.kubernetes import Kubernetes
from phoenix.leaving.ssm import Ssm

KINDS: Final[Mapping[str, type[Consul | Ecs | Kubernetes | Ssm]]] = {
    "ecs": Ecs,
    "kubernetes": Kubernetes,
    "consul": Consul,
    "ssm": Ssm,
}
"""The kinds of `before_leaving`."""

REGISTRIES: Final[Mapping[str, type[CloudMap | Registry]]] = {"cloud_map": CloudMap, "consul": Registry}
"""The kinds of `discovery`."""
