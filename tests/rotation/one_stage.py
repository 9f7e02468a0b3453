"""A stage with one plain Auto Scaling group on it, and questions to a group that is rotated in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from phoenix.core.model import Outcome, Phase
from phoenix.core.rotation import Rotation
from phoenix.core.tags import IN_ONE_GROUP
from phoenix.engine.report import Report
from tests.rotation.stage import BRISK, Stage, a_policy

ATTACHED = {"api": "attached", "tcp": "attached", "legacy": "attached", "batch": "none"}
"""The sandbox's plain groups, and the traffic of each in a policy."""
STRATEGIES: dict[str, dict[str, Any]] = {
    "blue_green": {"kind": "blue_green", "bake": "30s"},
    "canary": {"kind": "canary", "steps": [{"weight": 25, "bake": "30s"}], "bake": "30s"},
    "rolling": {"kind": "rolling", "batch": "50%", "bake": "15s"},
}


def an_in_place_policy(group: str = "api", **sections: Any) -> dict[str, Any]:
    """A blue/green policy for one of the plain groups, with short rests."""
    traffic = ATTACHED.get(group, "attached")
    gate = BRISK if traffic == "attached" else {"kind": "in_service", "healthy_for": "10s"}
    plain: dict[str, Any] = {
        "fleet": {"kind": "in_place", "auto_scaling_group": group, "hooks": "harmless"},
        "traffic": {"kind": traffic},
        "gates": [gate],
    }
    return a_policy(group, **(plain | sections))


@dataclass
class OneStage(Stage):
    """One plain Auto Scaling group on the sandbox. The slots of it are told apart by the image of their instances."""

    def slot(self, slot: str) -> Any:
        """The group as AWS describes it, whichever slot is asked for."""
        with self.unnoticed():
            found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        return found["AutoScalingGroups"][0]

    def resize(self, slot: str = "blue", **changes: Any) -> None:
        """As the owner or an autoscaler does it."""
        self.change("update_auto_scaling_group", **changes)

    @property
    def numbers(self) -> tuple[int, int, int]:
        """MinSize, MaxSize, DesiredCapacity."""
        return self.size("blue")

    @property
    def version(self) -> str:
        """The template version that the group launches."""
        group = self.slot("blue")
        mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
        return str((group.get("LaunchTemplate") or mixed)["Version"])

    @property
    def our_tags(self) -> dict[str, str]:
        """The tags that phoenix has written."""
        return {t["Key"]: t["Value"] for t in self.slot("blue")["Tags"] if t["Key"] in IN_ONE_GROUP}

    @property
    def temporary_tags(self) -> set[str]:
        """Those of our tags that only a rotation in flight, or a reserve, needs."""
        return {key for key in self.our_tags if key.startswith(("phoenix:capacity", "phoenix:ledger"))}

    @property
    def halted(self) -> set[str]:
        """The processes of Auto Scaling that are suspended."""
        return self.suspended("blue")

    def members(self, state: str = "InService") -> list[str]:
        """The instances in that lifecycle state."""
        return [str(each["InstanceId"]) for each in self.slot("blue")["Instances"] if each["LifecycleState"] == state]

    def running(self, state: str = "InService") -> Counter[str]:
        """How many instances in that lifecycle state run each image, by the image's name."""
        return self.images_of(self.members(state))

    def change(self, method: str, **parameters: Any) -> Any:
        """As another writer changes the group."""
        with self.unnoticed():
            return getattr(self.client("autoscaling"), method)(AutoScalingGroupName=self.name, **parameters)

    def serving(self) -> int:
        """How many instances answer requests now, by the sandbox's physics."""
        world = self.box.world
        return sum(
            member.lifecycle == "InService"
            and (server := world.servers.get(member.instance_id)) is not None
            and str(server.reply) == "200"
            for member in world.scaling.groups[self.name].members
        )


OWNERS = {"api": (2, 12), "tcp": (2, 8), "legacy": (2, 8), "batch": (2, 8)}
"""The owner's MinSize and MaxSize of each."""
PHASES = (Phase.GROWING, Phase.PROVING, Phase.SHRINKING, Phase.BAKING, Phase.CLOSING)


def once(when: Callable[[Rotation], bool], act: Callable[[], object]) -> Callable[[Report], None]:
    """Watch a rotation, and act the first time that it is as asked for."""
    done: list[object] = []

    def watch(report: Report) -> None:
        rotation = report.record.in_flight
        if not done and rotation is not None and when(rotation):
            done.append(rotation)
            act()

    return watch


def during(phase: Phase, act: Callable[[], object]) -> Callable[[Report], None]:
    return once(lambda rotation: rotation.phase is phase, act)


def healed(stage: OneStage) -> list[str]:
    return [event.text for event in stage.rotation.events if event.name == "healed"]


def assert_new_generation_lives(stage: OneStage, live: int = 4, reserve: int = 4) -> None:
    """The owner's numbers, the new version, and the earlier generation in Standby with the zones left as they are."""
    least, most = OWNERS[stage.name]
    stage.clock.advance(120)
    assert stage.rotation.outcome is Outcome.SUCCEEDED, stage.rotation.reason
    assert (stage.numbers, stage.version) == ((least, most, live), "2")
    assert stage.running() == {f"{stage.name}-2026.11.18-9f2c1e": live}
    assert stage.running("Standby") == {f"{stage.name}-2026.11.11-41aa07": reserve}
    assert stage.halted == {"AZRebalance"}
    assert stage.temporary_tags == {"phoenix:capacity:blue"}


def assert_old_generation_is_back(stage: OneStage, live: int = 4) -> None:
    """As before the start: nothing of ours is left, and nothing in Standby."""
    least, most = OWNERS[stage.name]
    stage.clock.advance(120)
    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert (stage.numbers, stage.version) == ((least, most, live), "1")
    assert stage.running() == {f"{stage.name}-2026.11.11-41aa07": live}
    assert len(stage.slot("blue")["Instances"]) == live
    assert (stage.halted, stage.temporary_tags) == (set(), set())
