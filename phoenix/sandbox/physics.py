"""The durations of AWS, and the behaviours of images.

Numbers only. A duration that is missing here is zero in the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Behaviour(StrEnum):
    """The behaviour of an image's servers, from its tag `sandbox:behaviour`."""

    HEALTHY = "healthy"
    BAD = "bad"
    """Boots, then answers every request with 503."""
    SLOW_BOOT = "slow-boot"
    """Is in service as fast as any other, and answers only minutes later."""
    FLAPPING = "flapping"
    """Healthy and unhealthy in turns, for ever."""
    ERRING = "erring"
    """Passes its health checks and fails real requests: only alarms see it."""
    ABANDONING = "abandoning"
    """Its own start-up fails, and says so to the group's launch hooks: ABANDON."""


@dataclass(frozen=True, slots=True)
class Physics:
    """Durations in seconds. `INSTANT` has all of them at zero."""

    api_to_pending: float = 3.0
    """From a write to Auto Scaling until the instance is listed; EC2 alone was measured at 2.5 to 4.8 s."""
    pending_to_running: float = 17.0
    """Measured at 16.4 to 17.8 s for Amazon Linux 2023 on m7i, alike in five Regions."""
    running_to_answering: float = 13.0
    """Operating system (2.6 to 4.5 s measured until SSH answers) and an application that takes some 10 s."""
    boot_spread: float = 0.05
    """By which share each instance's boot may differ, either way; 0 makes all alike."""
    registration: float = 2.0
    """From the call until a target's first health check may happen. Seconds for an ALB."""
    network_registration: float = 120.0
    """The same for a target of a Network Load Balancer: 90 to 180 s.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html"""
    one_check_proves: bool = False
    """Whether a first success is enough for every load balancer, as it is for a new target of an ALB."""
    weight_propagation: float = 5.0
    """From ModifyRule or ModifyListener until requests follow. Seconds for an ALB, not published."""
    network_propagation: float = 75.0
    """From ModifyListener until new connections of a Network Load Balancer follow: aws/containers-roadmap#470, in 2019.
    Those that exist never do; the sandbox has no connections."""
    dns_spread: float = 30.0
    """How long a change of records is PENDING: "generally within 60 seconds" (API_ChangeResourceRecordSets)."""
    proceeding: float = 1.0
    """How long an instance whose hooks are all answered is on its way into service. Not published."""
    entering_standby: float = 3.0
    """How long going into Standby takes where nothing has to drain. Not published."""
    leaving_standby: float = 5.0
    """From ExitStandby until the instance is in service; a load balancer takes its own time. Not published."""
    rebalancing: float = 30.0
    """From zones being uneven until AZRebalance acts. Not published."""
    terminating: float = 20.0
    """From shutting-down to terminated, when the group forgets the instance. Not published."""
    first_status_checks: float = 120.0
    """How long the status checks of an instance that runs are "initializing". Not published; a few minutes."""
    status_check: float = 30.0
    """Until a group notices that one of its instances is gone. Not published."""
    health_reaction: float = 5.0
    """From an instance being called unhealthy until its group acts on it. Not published."""
    alarm_lag: float = 60.0
    """From the first bad request to ALARM: one period of the metric; in practice one to three minutes."""
    alarm_recovery: float = 120.0
    """From the last bad request to OK again."""
    launch_retry: float = 15.0
    """Until the first try after a failed launch; doubles with each. Not published."""
    launch_retry_most: float = 300.0
    """Where that doubling ends."""
    slow_boot: float = 1200.0
    """The extra time of a slow-boot image: longer than the 15 minutes that a launch gets by default."""
    command_runs: float = 15.0
    """How long a command of Systems Manager takes on an instance."""
    task_moves: float = 10.0
    """From a container instance's DRAINING until one task runs elsewhere, and the same for each further one."""
    cloud_map: float = 10.0
    """From RegisterInstance or DeregisterInstance until its operation has succeeded. Not published; seconds to a
    minute."""
    flap_up: float = 25.0
    """How long a flapping server answers."""
    flap_down: float = 25.0
    """How long it then does not."""


INSTANT = Physics(
    api_to_pending=0,
    pending_to_running=0,
    running_to_answering=0,
    boot_spread=0,
    registration=0,
    network_registration=0,
    one_check_proves=True,
    weight_propagation=0,
    network_propagation=0,
    dns_spread=0,
    proceeding=0,
    entering_standby=0,
    leaving_standby=0,
    rebalancing=0,
    terminating=0,
    first_status_checks=0,
    status_check=0,
    health_reaction=0,
)
"""For seeding: the example fleets count as old."""


def for_rehearsal(speed: float) -> Physics:
    """Physics for a sandbox that runs so much faster than the programs that use it. The time-outs of policies run in
    real time, and an image that is slow to boot has to outlast them at any speed."""
    return replace(Physics(), slow_boot=Physics().slow_boot * max(speed, 1.0))
