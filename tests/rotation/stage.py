"""The sandbox with one group on it, driven by the real engine through the real adapters, in no real time.

Must never be asked for what production code would not know: `writes` and `reads` count the drivers' calls only, so the
questions that a test asks AWS itself are left out of the sandbox's list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import yaml
from botocore.exceptions import ClientError
from botocore.retries import standard

from phoenix.aws.session import Aws
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.tags import WRITTEN
from phoenix.engine.group import Group
from phoenix.engine.look import look
from phoenix.engine.report import Report, Watch, watch_nothing
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.sandbox import Call, ManualClock, Physics, Sandbox
from phoenix.settings import Settings
from phoenix.wiring import Overrides, Wiring

EXAMPLES = Path(__file__).parents[2] / "policies"
STEADY = Physics(boot_spread=0)
POLL_SECONDS = 20
LEASE_SECONDS = 60
OLD_NAME, NEW_NAME = "web-2026.11.11-41aa07", "web-2026.11.18-9f2c1e"
SLOTS = ("blue", "green")
BRISK = {"kind": "target_health", "healthy_for": "10s"}


def a_policy(group: str = "web", **sections: Any) -> dict[str, Any]:
    """A blue/green policy for one of the example groups, with short rests; a section that is None is left out."""
    plain: dict[str, Any] = {
        "version": 1,
        "group": group,
        "fleet": {"kind": "pair", "blue": f"{group}-blue", "green": f"{group}-green"},
        "traffic": {"kind": "alb", "propagation": "15s"},
        "image": {
            "kind": "search",
            "owners": ["self"],
            "name": f"{group}-*",
            "tags": {"service": group, "channel": "stable"},
        },
        "strategy": {"kind": "blue_green", "bake": "30s"},
        "gates": [BRISK],
    }
    return {key: value for key, value in (plain | sections).items() if value is not None}


class UnhurriedAws(Aws):
    """The real thing, whose retries wait for nothing: tests have no time, and the sandbox's clock stands still."""

    def client(self, service: str) -> Any:
        client = super().client(service)
        name = client.meta.service_model.service_id.hyphenize()
        event, retries = f"needs-retry.{name}", f"retry-config-{name}"
        tries = (client.meta.config.retries or {}).get("total_max_attempts", 3)
        client.meta.events.unregister(event, unique_id=retries)
        handler = standard.RetryHandler(
            standard.RetryPolicy(standard.StandardRetryConditions(max_attempts=tries), _NoDelay()),
            standard.RetryEventAdapter(),
            retry_quota=cast(Any, standard.RetryQuotaChecker(standard.quota.RetryQuota())),
        )
        client.meta.events.register(event, handler.needs_retry, unique_id=retries)
        return client


class _NoDelay(standard.BaseRetryBackoff):
    def delay_amount(self, context: Any) -> int:
        return 0


@dataclass
class Stage:
    """One group on the sandbox. `driver` makes another driver of it; the methods speak for the first."""

    box: Sandbox
    clock: ManualClock
    name: str
    folder: Path
    aws: Aws
    marked: int = 0
    said: list[str] = field(default_factory=list)

    # --- drivers ------------------------------------------------------------------------------------------------------

    @cached_property
    def group(self) -> Group:
        return self.driver("here/1")

    def driver(self, driver: str, by: str = "ann", **places: Any) -> Group:
        """Another driver at another machine; `policies`, `store`, `aws` where they differ."""
        return self.wiring(driver, by, **places).group(self.name)

    def wiring(self, driver: str = "there/2", by: str = "bob", aws: Aws | None = None, **places: Any) -> Wiring:
        found = {"policies": str(self.folder), "store": f"sqlite:///{self.folder}/phoenix.db"} | places
        settings = Settings(poll_seconds=POLL_SECONDS, lease_seconds=LEASE_SECONDS, **found)
        return Wiring(settings, Overrides(clock=self.clock, aws=aws or self.aws, driver=driver, by=by))

    def rotate(self, watch: Watch = watch_nothing, **request: Any) -> Report:
        return rotate(self.group, RotateRequest(**request), self._listen(watch))

    def rollback(self, watch: Watch = watch_nothing, **request: Any) -> Report:
        return rollback(self.group, RollbackRequest(**request), self._listen(watch))

    def tick(self) -> Report:
        return tick(self.group)

    def tick_until(self, done: Callable[[Report], bool], every: float = 30, most: int = 400) -> Report:
        """What cron does, until a report satisfies."""
        report = self.tick()
        for _ in range(most):
            if done(report):
                return report
            self.clock.advance(every)
            report = self.tick()
        raise AssertionError(f"not within {most} ticks; the last one said: {report.sentence}")

    def look(self) -> Report:
        return look(self.group)

    @property
    def record(self) -> GroupRecord:
        record = self.group.store.load(self.name)
        assert record is not None
        return record

    @property
    def rotation(self) -> Rotation:
        rotation = self.record.rotation
        assert rotation is not None
        return rotation

    def _listen(self, watch: Watch) -> Watch:
        def listen(report: Report) -> None:
            self.said.append(report.sentence)
            watch(report)

        return listen

    # --- what the drivers asked of AWS --------------------------------------------------------------------------------

    def mark(self) -> None:
        """Forget the calls so far."""
        self.marked = len(self.box.calls)

    def calls(self) -> list[Call]:
        return self.box.calls[self.marked :]

    def writes(self) -> list[str]:
        return [call.operation for call in self.calls() if call.mutating]

    def reads(self) -> list[str]:
        return [call.operation for call in self.calls() if not call.mutating]

    def weights_written(self, slot: str) -> list[int]:
        """The weight that each write to a rule gave the slot; 0 where it was not named."""
        arns = set(self.box.world.scaling.groups[f"{self.name}-{slot}"].target_groups)
        writes = [call.params for call in self.calls() if call.operation in ("ModifyListener", "ModifyRule")]
        return [
            sum(int(named["Weight"]) for named in _forwarded(params) if named["TargetGroupArn"] in arns)
            for params in writes
        ]

    def deny(self, *operations: str) -> None:
        """Refuse these operations for want of rights, until `box.stop_intercepting`."""
        self._refuse(operations, "AccessDenied", "not authorized to perform {}")

    def limit(self, *operations: str, code: str = "LimitExceeded") -> None:
        """Refuse these operations for a limit, until `box.stop_intercepting`."""
        self._refuse(operations, code, "You have reached the maximum for {}.")

    def _refuse(self, operations: tuple[str, ...], code: str, words: str) -> None:
        def refuse(call: Call, when: str) -> None:
            if when == "before" and call.operation in operations:
                answer: Any = {"Error": {"Code": code, "Message": words.format(call.operation)}}
                raise ClientError(answer, call.operation)

        self.box.intercept(refuse)

    # --- what is there ------------------------------------------------------------------------------------------------

    def client(self, service: str) -> Any:
        session: Any = self.box.session
        return session.client(service)

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """Ask or change AWS as another writer: not among the calls, and past every hook."""
        calls, hooks = list(self.box.calls), list(self.box.desk.hooks)
        self.box.desk.hooks.clear()
        try:
            yield
        finally:
            self.box.calls[:] = calls
            self.box.desk.hooks[:] = hooks

    def slot(self, slot: str) -> Any:
        """The slot's Auto Scaling group as AWS describes it."""
        with self.unnoticed():
            names = [f"{self.name}-{slot}"]
            found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=names)
        return found["AutoScalingGroups"][0]

    def size(self, slot: str) -> tuple[int, int, int]:
        """MinSize, MaxSize, DesiredCapacity."""
        group = self.slot(slot)
        return group["MinSize"], group["MaxSize"], group["DesiredCapacity"]

    def resize(self, slot: str = "blue", **changes: Any) -> None:
        """As the owner or an autoscaler does it."""
        with self.unnoticed():
            group = f"{self.name}-{slot}"
            self.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=group, **changes)

    def shift_by_hand(self, slot: str, percent: int) -> None:
        """As a person at the console does it: that share to the slot, on every rule that names the pair."""
        elbv2 = self.client("elbv2")
        with self.unnoticed():
            ours = {s: elbv2.describe_target_groups(Names=[f"{self.name}-{s}"])["TargetGroups"][0] for s in SLOTS}
            weights = {ours[s]["TargetGroupArn"]: percent if s == slot else 100 - percent for s in SLOTS}
            for rule in self.rules():
                if not any(arn in str(rule["Actions"]) for arn in weights):
                    continue
                groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
                self.rewrite(rule, [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])

    def rewrite(self, rule: Mapping[str, Any], actions: list[dict[str, Any]]) -> None:
        """Give a rule, or the listener whose default it is, another action list."""
        elbv2 = self.client("elbv2")
        with self.unnoticed():
            if rule["IsDefault"]:
                elbv2.modify_listener(ListenerArn=rule["ListenerArn"], DefaultActions=actions)
            else:
                elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)

    def instances(self, slot: str) -> list[Any]:
        return list(self.slot(slot)["Instances"])

    def staying(self, slot: str) -> int:
        """How many instances the slot has that are not on their way out."""
        return sum(not each["LifecycleState"].startswith("Terminat") for each in self.instances(slot))

    def images(self, slot: str) -> Counter[str]:
        """How many instances of each image the slot has, by the name of the image."""
        return self.images_of([each["InstanceId"] for each in self.instances(slot)])

    def images_of(self, ids: Sequence[str]) -> Counter[str]:
        """How many of these instances run each image, by the image's name."""
        if not ids:
            return Counter()
        ec2 = self.client("ec2")
        with self.unnoticed():
            found = [i for r in ec2.describe_instances(InstanceIds=list(ids))["Reservations"] for i in r["Instances"]]
            named = ec2.describe_images(ImageIds=sorted({i["ImageId"] for i in found}))["Images"]
        names = {each["ImageId"]: each["Name"] for each in named}
        return Counter(names[each["ImageId"]] for each in found)

    def tags(self, slot: str) -> dict[str, str]:
        """Our own tags on the slot."""
        return {t["Key"]: t["Value"] for t in self.slot(slot)["Tags"] if t["Key"] in WRITTEN}

    def suspended(self, slot: str) -> set[str]:
        return {each["ProcessName"] for each in self.slot(slot)["SuspendedProcesses"]}

    def share(self, slot: str) -> tuple[float, float]:
        """The least and the greatest share of the requests that the slot's target group really gets by any rule."""
        truth = self.box.serving()[f"{self.name}-{slot}"]
        return truth.lowest_share, truth.highest_share

    def versions(self) -> list[Any]:
        """The versions of the group's launch template, oldest first."""
        with self.unnoticed():
            found = self.client("ec2").describe_launch_template_versions(LaunchTemplateName=self.name)
        return sorted(found["LaunchTemplateVersions"], key=lambda each: int(each["VersionNumber"]))

    def rules(self) -> list[dict[str, Any]]:
        """All rules of all load balancers, listeners' own among them, each with its `ListenerArn`."""
        elbv2 = self.client("elbv2")
        with self.unnoticed():
            balancers = [each["LoadBalancerArn"] for each in elbv2.describe_load_balancers()["LoadBalancers"]]
            found = [elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"] for arn in balancers]
            listeners = [each["ListenerArn"] for of_balancer in found for each in of_balancer]
            rules = {arn: elbv2.describe_rules(ListenerArn=arn)["Rules"] for arn in listeners}
        return [dict(rule, ListenerArn=arn) for arn, of_listener in rules.items() for rule in of_listener]


def write_policy(folder: Path, policy: Mapping[str, Any]) -> None:
    (folder / f"{policy['group']}.yaml").write_text(yaml.safe_dump(dict(policy)), encoding="utf-8")


def _forwarded(params: Mapping[str, Any]) -> list[Any]:
    """The target groups of a write to a rule or a default action, with their weights."""
    actions = params.get("Actions") or params.get("DefaultActions") or ()
    return [named for each in actions for named in each.get("ForwardConfig", {}).get("TargetGroups", ())]
