"""Find the groups that instances belong to: one question for each account and Region of the policies.

Loads pydantic: must never be imported at the top of a module that a quick rollback imports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from phoenix.aws.instances import read_instances
from phoenix.errors import UsageError
from phoenix.policy.loader import Library
from phoenix.wiring.base import Base
from phoenix.wiring.from_policy import access_of

_MEMBER_OF: Final = "aws:autoscaling:groupName"


def groups_of_instances(base: Base, library: Library, ids: Sequence[str]) -> Mapping[str, str]:
    """The name of each instance's group.

    Raises:
        UsageError: an instance runs nowhere that a policy is about.
    """
    policies = [found.policy for _, found in sorted(library.policies.items())]
    found: dict[str, str] = {}
    for access in dict.fromkeys(access_of(policy) for policy in policies):
        here = {name: p.group for p in policies if access_of(p) == access for name in p.fleet.slots().values()}
        members = {each.id: each.tags.get(_MEMBER_OF, "") for each in read_instances(base.aws(access), ids)}
        found |= {each: here[name] for each, name in members.items() if name in here}
    missing = [each for each in ids if each not in found]
    if missing:
        raise UsageError(
            f"{', '.join(missing)}: no running instance of a group that a policy is about; nothing was changed",
            hint="phoenix drift lists the groups; --region, --profile and --policies say where they are",
        )
    return found
