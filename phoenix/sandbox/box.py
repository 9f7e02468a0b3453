"""The sandbox for its users: a session, a clock to turn, and parts to break.

One at a time per process: moto keeps its pretend account in global variables.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Any, ClassVar, Self, TypedDict, Unpack

import boto3
import botocore.loaders
import botocore.session
from moto import mock_aws
from moto.moto_api._internal import mock_random

from phoenix.sandbox import dns, mends, reuse
from phoenix.sandbox.answers.images import ImageSpec, add_image
from phoenix.sandbox.clock import SandboxClock
from phoenix.sandbox.containers import Cluster
from phoenix.sandbox.desk import Call, Desk, Hook
from phoenix.sandbox.faults import LaunchTerms, VersionGuard
from phoenix.sandbox.launching import BEHAVIOUR_TAG, LaunchFault
from phoenix.sandbox.physics import Behaviour, Physics
from phoenix.sandbox.scenarios import SCENARIOS, Scenario
from phoenix.sandbox.seed import PLAIN, seed
from phoenix.sandbox.seeding import Builder
from phoenix.sandbox.web import WebServers
from phoenix.sandbox.world import REGION, TargetGroupTruth, World

CREDENTIALS = {"aws_access_key_id": "SANDBOX", "aws_secret_access_key": "sandbox"}
MOTO_QUIET = {"core": {"mock_credentials": False, "reset_boto3_session": False}}
THROTTLED_WRITES = ("ModifyRule", "ModifyListener", "UpdateAutoScalingGroup", "CreateOrUpdateTags")
NOTHING_CONFIGURED = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""The user's own AWS configuration must not reach the sandbox, nor the sandbox the user's account."""
_loader = botocore.loaders.create_loader()
"""Shared by all sessions: reading EC2's model takes longer than everything else a test does."""


class Options(TypedDict, total=False):
    """A sandbox's options besides its scenario."""

    random_seed: int
    physics: Physics | None
    web_servers: bool
    """Let every instance answer HTTP on its private address; off unless asked for, on in `serve`."""


class ImageOptions(TypedDict, total=False):
    """An image's options besides its name, behaviour and tags."""

    created_at: datetime | None
    owner: str
    architecture: str


class Sandbox:
    """An AWS of its own, while it is open."""

    _open: ClassVar[Sandbox | None] = None

    def __init__(
        self,
        *,
        clock: SandboxClock,
        scenario: str = "healthy",
        seed_group: bool = True,
        **options: Unpack[Options],
    ) -> None:
        self.clock = clock
        self.scenario: Scenario = SCENARIOS[scenario]
        self.session: boto3.Session
        self._seed_group, self._options = seed_group, options
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if Sandbox._open is not None:
            raise RuntimeError("another sandbox is open in this process; close it first: moto's account is global")
        Sandbox._open = self
        self._stack.callback(self._close)
        try:
            self._set_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _set_up(self) -> None:
        self._stack.enter_context(_environment({"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}))
        random_seed = self._options.get("random_seed", 0)
        mock_random.seed(random_seed)
        self.world = World(self.clock, self._options.get("physics") or Physics(), random_seed)
        self.desk = Desk(self.world)
        self._stack.enter_context(mends.apply(self.desk.dispatch, self.world.naive_now))
        self._stack.enter_context(reuse.apply())
        self._stack.enter_context(mock_aws(config=MOTO_QUIET))
        self.session = new_session()
        if self._seed_group:
            self.seed("web")
        if self.scenario.launches_fail:
            for name in ("*-green", *PLAIN):
                self.fail_launches(self.scenario.launches_fail, auto_scaling_group=name)
        if self.scenario.throttled:
            self.throttle(("Describe*", *THROTTLED_WRITES), probability=self.scenario.throttled)
        if self._options.get("web_servers", False):
            self.open_web_servers()

    def open_web_servers(self) -> None:
        """Let every instance answer HTTP on its private address; those that are up do so when this returns."""
        self._stack.enter_context(WebServers(self.world, self.desk.lock))

    @staticmethod
    def _close() -> None:
        Sandbox._open = None

    @property
    def calls(self) -> list[Call]:
        """Every API call so far, seeding left out; clear it whenever you like."""
        return self.desk.calls

    @cached_property
    def _builder(self) -> Builder:
        """One for all fleets: making clients takes as long as building one."""
        return Builder(self.session, self.world)

    def seed(self, group: str, *, desired: int = 4) -> None:
        """Build one of the example fleets, of `GROUPS`. It is up and healthy at once."""
        with self.desk.lock:
            hooks, self.desk.hooks = self.desk.hooks, []
            kept, noted = list(self.calls), list(self.world.journal.entries)
            self.world.faults.quiet = True
            try:
                with self.world.instantly():
                    seed(self._builder, group, self.scenario, desired)
            finally:
                self.calls[:], self.world.journal.entries[:] = kept, noted
                self.desk.hooks = hooks
                self.world.faults.quiet = False

    def bake_image(
        self,
        name: str,
        *,
        behaviour: Behaviour | str = Behaviour.HEALTHY,
        tags: Mapping[str, str] | None = None,
        **options: Unpack[ImageOptions],
    ) -> str:
        """Register an image, available now; return its id. Without `tags` it has those that the web policy asks for."""
        with self.desk.lock:
            self.world.catch_up()
            own = dict({"service": "web", "channel": "stable"} if tags is None else tags)
            if Behaviour(behaviour) is not Behaviour.HEALTHY:
                own[BEHAVIOUR_TAG] = Behaviour(behaviour).value
            return add_image(self.world, ImageSpec(name, tags=own, **options))

    def join_cluster(self, auto_scaling_group: str, cluster: str) -> Cluster:
        """Register a group's instances with an ECS cluster, those that run now with tasks on them, and later ones."""
        with self.desk.lock:
            return self.world.join_cluster(auto_scaling_group, cluster)

    def fail_launches(
        self, reason: LaunchFault | str, *, count: int | None = None, auto_scaling_group: str | None = None
    ) -> None:
        """Let launches fail with AWS's wording for it; `count` None means until `allow_launches`. Group: a pattern."""
        self.world.faults.fail_launches(LaunchFault(reason), count, auto_scaling_group or "*")

    def allow_launches(self) -> None:
        """Let launches succeed again."""
        self.world.faults.allow_launches()

    @property
    def launch_terms(self) -> LaunchTerms:
        """The account's demands on launches, and the types that its zones lack; change it at will."""
        return self.world.faults.terms

    def throttle(
        self, operations: Sequence[str], *, count: int | None = None, probability: float | None = None
    ) -> None:
        """Throttle operations (patterns allowed): the next `count` calls, or each with that probability; else all."""
        self.world.faults.throttle(operations, count, 1.0 if probability is None else probability)

    def stop_throttling(self) -> None:
        """Answer every call again."""
        self.world.faults.stop_throttling()

    def fail_calls(
        self, operations: Sequence[str], *, count: int | None = None, probability: float | None = None
    ) -> None:
        """Answer operations (patterns allowed) with a 503, having done nothing; which calls: as `throttle`."""
        self.world.faults.fail(operations, count, 1.0 if probability is None else probability)

    def contend(self, operations: Sequence[str], *, count: int | None = None, probability: float | None = None) -> None:
        """Refuse operations (patterns allowed) with ResourceContention, having done nothing; which calls: as
        `throttle`."""
        self.world.faults.contend(operations, count, 1.0 if probability is None else probability)

    def lose_responses(
        self, operations: Sequence[str], *, count: int | None = None, probability: float | None = None
    ) -> None:
        """Carry operations (patterns allowed) out, and lose the answer; which calls: as `throttle`."""
        self.world.faults.lose(operations, count, 1.0 if probability is None else probability)

    def stale_reads(self, operations: Sequence[str], *, most: float = 30.0, probability: float = 0.5) -> None:
        """Let reads (patterns allowed) repeat an answer of up to `most` seconds ago, each with that probability."""
        self.world.faults.lag(operations, probability, most)

    def hide_new_versions(
        self, seconds: float, words: str = "The specified launch template version does not exist."
    ) -> None:
        """Let Auto Scaling not find a launch template version, or a resource in it, until it is that old; in EC2's
        words inside its own (`{number}`, `{template}` and `{image}` are filled in)."""
        self.world.faults.replicas.auto_scaling, self.world.faults.replicas.words = timedelta(seconds=seconds), words

    def guard_versions(self, *, plain_too: bool) -> None:
        """Deny `$Latest` and `$Default` to groups, as never-follow.json does; with `plain_too` also each update that
        names no template, as AWS would if it took that for an update without a version."""
        self.world.faults.version_guard = VersionGuard(plain_too)

    def lag_versions(self, seconds: float, probability: float = 0.5) -> None:
        """Let EC2 list launch template versions as of that long ago, each time with that probability."""
        self.world.faults.replicas.lists = timedelta(seconds=seconds)
        self.world.faults.replicas.probability = probability

    def small_pages(self, most: int = 1) -> None:
        """Answer lists in pages of `elements` at most, whatever the caller asks for; elsewhere one page holds
        everything."""
        self.world.faults.cut_pages(most)

    def mend_calls(self) -> None:
        """Answer every call, at once and truly; failing launches stay as they are."""
        self.world.faults.mend()

    def kill_instance(self, instance_id: str) -> None:
        """End a machine as if its host had failed; its group notices later."""
        with self.desk.lock:
            self.world.catch_up()
            self.world.servers.end(instance_id)
            self.world.scaling.machine_lost(instance_id)

    def impair_instance(self, instance_id: str) -> None:
        """Let EC2's status checks of a machine fail; its group notices later, unless it is in Standby."""
        with self.desk.lock:
            self.world.catch_up()
            self.world.servers.impair(instance_id)
            self.world.scaling.machine_impaired(instance_id)

    def answer_hooks(self, instance_id: str, result: str = "ABANDON") -> int:
        """Answer every lifecycle hook that this instance waits for, as their owner; return how many there were."""
        with self.desk.lock:
            self.world.catch_up()
            waits = self.world.scaling.hooks.of(instance_id)
            for wait in waits:
                if wait in self.world.scaling.hooks.of(instance_id):
                    self.world.scaling.hooks.answer(wait, result)
            return len(waits)

    def make_unhealthy(self, instance_id: str) -> None:
        """Let the server inside answer 503 from now on; health checks find out later."""
        with self.desk.lock:
            self.world.catch_up()
            self.world.servers.break_down(instance_id)

    def set_alarm(self, name: str, state: str, reason: str = "Set by the sandbox") -> None:
        """Put an alarm into a state, as an evaluation would.

        Raises:
            KeyError: there is no such alarm.
        """
        with self.desk.lock:
            self.world.catch_up()
            alarm = self.world.alarms.find(name)
            if alarm is None:
                raise KeyError(name)
            self.world.alarms.set(alarm, state, reason)

    def intercept(self, hook: Hook) -> None:
        """Show every call to `hook(call, stage)`, "before" and "after" it is carried out.

        The hook's exception reaches the caller: before, the request is lost; after, the response.
        """
        self.desk.hooks.append(hook)

    def stop_intercepting(self) -> None:
        """Forget all hooks."""
        self.desk.hooks.clear()

    def serving(self) -> Mapping[str, TargetGroupTruth]:
        """Return the real state by target group name, with weights as they have taken effect."""
        with self.desk.lock:
            self.world.catch_up()
            groups: Any = self.world.elbv2().target_groups
            return {each.name: self.world.truth_about(arn) for arn, each in groups.items()}

    def dns_health(self, *, empty_fails: bool = True, honours_off: bool = True) -> Mapping[str, bool]:
        """By load balancer name: whether a Route 53 record that evaluates target health still answers with it.

        `empty_fails` and `honours_off` are two things that AWS's documents leave open; see `phoenix.sandbox.dns`.
        """
        with self.desk.lock:
            self.world.catch_up()
            balancers: Any = self.world.elbv2().load_balancers
            found = {each.name: arn for arn, each in balancers.items()}
            asked = {"empty_fails": empty_fails, "honours_off": honours_off}
            return {name: dns.is_healthy(self.world, arn, **asked) for name, arn in found.items()}

    def dns_zones(self, *, empty_fails: bool = True) -> Mapping[str, frozenset[str]]:
        """By Network Load Balancer name: the zones that its own name answers with; see `phoenix.sandbox.dns`."""
        with self.desk.lock:
            self.world.catch_up()
            balancers: Any = self.world.elbv2().load_balancers
            found = {each.name: arn for arn, each in balancers.items() if self.world.routes.is_network(arn)}
            return {name: dns.zones(self.world, arn, empty_fails=empty_fails) for name, arn in found.items()}


def new_session() -> boto3.Session:
    """A session of its own, with credentials that open nothing, in the sandbox's Region."""
    core = botocore.session.Session(session_vars=NOTHING_CONFIGURED)
    core.set_config_variable("ignore_configured_endpoint_urls", True)
    core.register_component("data_loader", _loader)
    return boto3.Session(botocore_session=core, region_name=REGION, **CREDENTIALS)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
