"""`doctor --probe`: tests of AWS on an empty Auto Scaling group.

Must never write to a group that is in use, and must put everything back at the end, also after Ctrl-C.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phoenix.cli.session import Session
from phoenix.cli.signals import stopping_on_signals
from phoenix.errors import InvalidPolicy, UsageError

if TYPE_CHECKING:
    from phoenix.aws.session import Aws
    from phoenix.core.blocker import Blocker
    from phoenix.core.image import Image
    from phoenix.fleets.probe_target import Target
    from phoenix.views.doctor import Check

TIMES = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """The Auto Scaling group to probe, the number of versions to make, and the policy to use (None: none)."""

    name: str
    times: int
    policy: str | None


def checked(policy: str | None, name: str | None, times: int | None) -> Wanted | None:
    """Return the options, checked; None without `--probe`.

    Raises:
        UsageError: they do not fit together.
    """
    from phoenix.fleets.probe import MOST_TIMES

    if name is None:
        if policy is not None or times is not None:
            raise UsageError("--group and --times are for --probe", hint="phoenix doctor --probe AUTO_SCALING_GROUP")
        return None
    if times is not None and not 1 <= times <= MOST_TIMES:
        raise UsageError(f"--times {times}: a probe makes 1 to {MOST_TIMES} versions")
    return Wanted(name, TIMES if times is None else times, policy)


def probe_group(session: Session, wanted: Wanted, before: Sequence[Check]) -> int:
    """Probe, and report the doctor's checks so far and those of the probe."""
    from phoenix.fleets.probe import Probe
    from phoenix.fleets.probe_target import find_target
    from phoenix.views import doctor as lines
    from phoenix.views import probe as view

    target_of = _owners(session)
    aws, clock = session.wiring.aws_of(wanted.policy), session.wiring.clock
    target = find_target(aws, wanted.name, target_of)
    image = _image(session, wanted)
    trial = _try_launch(aws, target, image) if image is not None else None
    if wanted.policy is not None and image is None:
        trial = [_no_image(wanted.policy)]
    who = str(aws.call("sts", "get_caller_identity")["Arn"])
    with stopping_on_signals(clock):
        probed = Probe(aws, clock, target, wanted.times, uuid.uuid4().hex[:8]).run()
    checks = [*before, lines.Check("probed as", True, who), *view.checks(probed, trial)]
    document = {**lines.document(checks), "probe": view.document(probed, trial)}
    session.answer(lines.render(checks), document)
    if probed.interrupted:
        return 130
    return 0 if all(check.passed for check in checks) else 1


def _owners(session: Session) -> dict[str, str]:
    """Return the policies' groups by the Auto Scaling groups that they name. A broken policy could name any.

    Raises:
        InvalidPolicy: a policy is broken.
    """
    library = session.wiring.library()
    if library.all_problems:
        raise InvalidPolicy(library.all_problems)
    policies = (found.policy for found in library.policies.values())
    return {name: policy.group for policy in policies for name in policy.fleet.slots().values()}


def _image(session: Session, wanted: Wanted) -> Image | None:
    """Return the image that the policy chooses now."""
    if wanted.policy is None:
        return None
    group = session.group()
    candidates = group.images.candidates(group.clock.now()) if group.images is not None else ()
    return next((each.image for each in candidates if each.rejected is None), None)


def _try_launch(aws: Aws, target: Target, image: Image) -> Sequence[Blocker]:
    from phoenix.fleets.group_dry_run import Trial, try_launch
    from phoenix.fleets.group_template_versions import mappings_for

    return try_launch(aws, Trial(target.group, target.source, image, mappings_for(aws, target.source, image)))


def _no_image(policy: str) -> Blocker:
    from phoenix.core.blocker import Blocker

    text = f"not tried: the policy of {policy} chooses no image"
    return Blocker("not-checked", "trial launch", text, f"phoenix images --group {policy}", warning=True)
