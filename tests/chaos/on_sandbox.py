"""The second level: the real engine and the real adapters on the sandbox, killed, throttled, lied to and interleaved.

Must never ask the drivers how it went: what really is comes from the sandbox's physics, after every single call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from phoenix.aws.session import Aws
from phoenix.core.model import Outcome, Slot
from phoenix.core.terms import Capacity
from phoenix.engine.control import resume
from phoenix.engine.group import Group
from phoenix.engine.request import RotateRequest
from phoenix.engine.rollback import abort
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import Blocked, LeaseHeld, LeaseLost, PhoenixError, TransientError
from phoenix.ports import Lease, Store
from phoenix.sandbox import Call, ManualClock, Sandbox, SkewedClock
from phoenix.sandbox.routes import weights_of
from tests.chaos.drivers import Death
from tests.chaos.invariants import Judge, SlotTruth, Truth, Violated, check_sentence
from tests.rotation.stage import NEW_NAME, OLD_NAME, STEADY, Stage, UnhurriedAws, a_policy, write_policy

STRATEGIES: dict[str, dict[str, Any]] = {
    "blue_green": {"kind": "blue_green", "bake": "30s"},
    "canary": {"kind": "canary", "steps": [{"weight": 20, "bake": "30s"}], "bake": "30s"},
    "rolling": {"kind": "rolling", "batch": "50%", "bake": "15s"},
}
SCENARIOS = {"good": "healthy", "bad": "bad-image"}
MOST_DRIVERS = 25
SIZE = 4
OWNER = Capacity(2, 12)
MEETINGS = 0.15
MOST_RESUMES = 2
"""After that a person gives up."""
ENDS = {Outcome.SUCCEEDED, Outcome.ROLLED_BACK}


@dataclass
class Scene:
    """One group on an open sandbox, watched after every call."""

    stage: Stage
    judge: Judge
    calls: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    strikes: dict[int, Callable[[], None]] = field(default_factory=dict)
    numbers: int = 0
    skew: float = 0.0
    between: Callable[[], None] = lambda: None
    nested: bool = False
    furnish: Callable[[Group], Group] = lambda group: group
    """Gives every driver other parts than the real ones."""

    def look(self, call: Call, when: str) -> None:
        """Before and after every call: strike if it is time, then hold what is there against the invariants."""
        self.calls += 1
        self.judge.passing(truth_of(self.stage))
        strike = self.strikes.pop(self.calls, None)
        if strike is not None:
            self.struck[f"struck {when} a call"] += 1
            strike()

    def driver(self) -> Group:
        """The next driver, at another machine; every second one's clock is wrong."""
        self.numbers += 1
        group = self.stage.driver(f"machine{self.numbers}/1")
        store = Crossroads(group.store, self)
        clock = SkewedClock(self.stage.clock, self.skew if self.numbers % 2 == 0 else 0)
        return self.furnish(replace(group, clock=clock, store=store))

    def finish(self) -> None:
        """Drive to the end, however many drivers that takes."""
        for _ in range(MOST_DRIVERS):
            try:
                report = rotate(self.driver(), RotateRequest(), lambda each: check_sentence(each.sentence))
                if report.outcome is not Outcome.HELD:
                    return
                self.struck["held"] += 1
                if self.struck["held"] > MOST_RESUMES:
                    abort(self.driver(), "it cannot go on")
                else:
                    resume(self.driver())
            except (Death, TransientError, LeaseHeld, LeaseLost) as end:
                self.struck[f"driver ended: {type(end).__name__}"] += 1
                self.stage.clock.advance(70)
            except Blocked:
                return
        raise Violated("I6", f"not ended after {MOST_DRIVERS} drivers: {self.stage.rotation.waiting_for}")


class Crossroads:
    """A driver's store, at which others may pass before each action."""

    def __init__(self, store: Store, scene: Scene) -> None:
        self._store, self._scene = store, scene

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def holds(self, lease: Lease) -> bool:
        self._scene.between()
        return self._store.holds(lease)


def truth_of(stage: Stage) -> Truth:
    """What the sandbox's physics say, not its API."""
    world = stage.box.world
    arns = {arn: slot for slot in Slot for arn in world.scaling.groups[f"{stage.name}-{slot.value}"].target_groups}
    shares, weights, others, sticky = [], [], [], []
    for each in world.routes.effective().values():
        ours = {slot: sum(s for arn, s in each.items() if arns.get(arn) is slot) for slot in Slot}
        if sum(ours.values()):
            shares.append({slot: part / sum(ours.values()) for slot, part in ours.items()})
    for _, _, rule in world.routes._rules():
        said = weights_of(rule.actions)
        if any(arn in arns for arn in said):
            named = {arns[arn] for arn in said if arn in arns}
            weights.append({slot: sum(w for arn, w in said.items() if arns.get(arn) is slot) for slot in named})
            sticky.append(sticky_seconds(rule.actions))
            others.append(tuple((arn, w) for arn, w in said.items() if arn not in arns))
    slots = {slot: _slot_truth(stage, slot) for slot in Slot}
    return Truth(world.timeline.now, slots, tuple(shares), tuple(weights), tuple(others), tuple(sticky))


def sticky_seconds(actions: list[Any]) -> int:
    """How long a rule keeps a client on one target group, as the API has it; 0 when it does not."""
    configs = (each.data.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {}) for each in actions)
    return next((int(found.get("DurationSeconds") or 0) for found in configs if found.get("Enabled")), 0)


def _slot_truth(stage: Stage, slot: Slot) -> SlotTruth:
    world = stage.box.world
    group = world.scaling.groups[f"{stage.name}-{slot.value}"]
    healthy = min((world.truth_about(arn).healthy for arn in group.target_groups), default=len(group.active()))
    settings = group.settings
    return SlotTruth(
        numbers=(settings["MinSize"], settings["MaxSize"], settings["DesiredCapacity"]),
        healthy=healthy,
        answering=healthy,
        proven={},
        versions=frozenset(str((m.template or {}).get("Version")) for m in group.active()),
        version=str(settings.get("LaunchTemplate", {}).get("Version")),
        suspended=frozenset(group.suspended),
        tags={key: tag.value for key, tag in group.tags.items() if key.startswith("phoenix:")},
    )


def open_scene(stack: ExitStack, strategy: str, image: str, *, seed: int = 0, aws: type[Aws] = UnhurriedAws) -> Scene:
    """The web tier, four instances, about to be rotated."""
    clock = ManualClock()
    folder = Path(stack.enter_context(TemporaryDirectory()))
    options: dict[str, Any] = {"physics": STEADY, "random_seed": seed, "scenario": SCENARIOS[image]}
    box = stack.enter_context(Sandbox(clock=clock, seed_group=False, **options))
    box.seed("web", desired=SIZE)
    write_policy(folder, a_policy(strategy=STRATEGIES[strategy], timeouts={"launch": "4m"}))
    stage = Stage(box, clock, "web", folder, aws(session=box.session))
    scene = Scene(stage, Judge(truth_of(stage), SIZE, OWNER))
    box.intercept(scene.look)
    return scene


def conclude(scene: Scene, image: str) -> None:
    """What is there at the end: an outcome that fits the image, nothing temporary, one version, images that may run.

    An image that is gone may be gone too late to matter: either outcome will do. It is not asked for again then: to
    the policy another image is the newest now.
    """
    stage = scene.stage
    stage.box.mend_calls()
    if image != "gone":
        scene.finish()
    stage.clock.advance(120)
    scene.judge.ended(stage.record, truth_of(stage))
    wanted = {"good": {Outcome.SUCCEEDED}, "bad": {Outcome.ROLLED_BACK}}.get(image, ENDS)
    if stage.rotation.outcome not in wanted:
        raise Violated("I6", f"ended {stage.rotation.outcome}: {stage.rotation.reason}")
    made = [v for v in stage.versions() if v.get("VersionDescription", "").startswith("phoenix ")]
    if len(made) > 1:
        raise Violated("I3", f"{len(made)} launch template versions were made")
    if image == "gone":
        return
    running = set(stage.images("blue")) | set(stage.images("green"))
    if not running <= {OLD_NAME, NEW_NAME}:
        raise Violated("I2", f"images run that the policy does not allow: {running}")
    stage.mark()
    tick(scene.driver())
    if stage.writes():
        raise Violated("I9", f"with nothing to do: {stage.writes()}")


def killed(strategy: str, image: str, at: tuple[int, ...]) -> Scene:
    """Killed at these calls: odd numbers are before a call, even ones after it."""

    def die() -> None:
        raise Death

    with ExitStack() as stack:
        scene = open_scene(stack, strategy, image)
        scene.strikes.update(dict.fromkeys(at, die))
        scene.finish()
        scene.strikes.clear()
        conclude(scene, image)
        return scene


def without_image(strategy: str, at: int) -> Scene:
    """A person deregisters the new image at this call."""
    with ExitStack() as stack:
        scene = open_scene(stack, strategy, "good")
        scene.strikes[at] = lambda: _deregister(scene)
        scene.finish()
        scene.strikes.clear()
        conclude(scene, "gone")
        return scene


def _deregister(scene: Scene) -> None:
    ec2 = scene.stage.client("ec2")
    with scene.stage.unnoticed():
        found = ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": [NEW_NAME]}])["Images"]
        ec2.deregister_image(ImageId=found[0]["ImageId"])
    scene.struck["image deregistered"] += 1


def count_calls(strategy: str, image: str) -> int:
    """How many moments an undisturbed rotation has: two a call."""
    with ExitStack() as stack:
        scene = open_scene(stack, strategy, image)
        scene.finish()
        return scene.calls


READS = ("Describe*",)
WRITES = (
    "CreateLaunchTemplateVersion",
    "CreateOrUpdateTags",
    "DeleteTags",
    "ModifyListener",
    "ModifyRule",
    "ResumeProcesses",
    "SuspendProcesses",
    "UpdateAutoScalingGroup",
)


def misled(seed: int) -> Scene:
    """Everything that a seed draws, at once."""
    dice = Random(f"sandbox {seed}")
    strategy, image = dice.choice(sorted(STRATEGIES)), dice.choice(("good", "good", "bad"))
    with ExitStack() as stack:
        scene = open_scene(stack, strategy, image, seed=seed)
        _brew(scene, dice)
        scene.finish()
        scene.strikes.clear()
        conclude(scene, image)
        return scene


def _brew(scene: Scene, dice: Random) -> None:
    box = scene.stage.box
    kinds: dict[str, Callable[[], object]] = {
        "throttled": lambda: box.throttle((*READS, *WRITES), probability=dice.uniform(0.02, 0.2)),
        "503": lambda: box.fail_calls((*READS, *WRITES), probability=dice.uniform(0.02, 0.2)),
        "lost responses": lambda: box.lose_responses(WRITES, probability=dice.uniform(0.1, 0.5)),
        "stale reads": lambda: box.stale_reads(
            ("DescribeAutoScalingGroups", "DescribeTargetHealth", "DescribeScalingActivities"),
            probability=dice.uniform(0.1, 0.6),
        ),
        "small pages": lambda: box.small_pages(dice.randint(1, 2)),
        "not found after create": lambda: _lag_behind(box, dice.uniform(1, 25)),
        "dies": lambda: scene.strikes.update({dice.randint(60, 400): _die for _ in range(dice.randint(1, 3))}),
        "interleaved": lambda: setattr(scene, "between", lambda: _interleave(scene, dice, 0)),
        "stalls": lambda: setattr(scene, "between", lambda: _interleave(scene, dice, 61)),
        "clock skew": lambda: setattr(scene, "skew", dice.uniform(-7, 7)),
    }
    for kind in dice.sample(sorted(kinds), dice.randint(1, 3)):
        scene.struck[kind] += 1
        kinds[kind]()


def _lag_behind(box: Sandbox, seconds: float) -> None:
    """Auto Scaling, and some of EC2's replicas, learn of a new template version that much later."""
    box.hide_new_versions(seconds)
    box.lag_versions(seconds)


def _die() -> None:
    raise Death


def _interleave(scene: Scene, dice: Random, stall: float) -> None:
    """Another driver works between two actions of this one; after a stall that outlasts the lease it takes over."""
    if scene.nested or dice.random() > MEETINGS:
        return
    scene.nested = True
    try:
        scene.stage.clock.advance(stall)
        tick(scene.driver())
        scene.struck["another driver in between"] += 1
    except (PhoenixError, Death) as end:
        scene.struck[f"the other driver ended: {type(end).__name__}"] += 1
    finally:
        scene.nested = False


def play(name: str) -> dict[str, Any]:
    """`7` is a seed; `canary-good:31,80` are deaths; `canary-gone:90` deregisters the image."""
    if name.isdigit():
        scene = misled(int(name))
    elif "-gone:" in name:
        strategy, _, at = name.partition("-gone:")
        scene = without_image(strategy, int(at))
    else:
        case, _, at = name.partition(":")
        strategy, _, image = case.rpartition("-")
        scene = killed(strategy, image, tuple(int(each) for each in at.split(",")))
    return {"moments": scene.calls, "checks": scene.judge.checks, "struck": dict(scene.struck)}
