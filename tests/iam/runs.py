"""Representative runs on the sandbox, with everything they asked of AWS, by the role that would have asked it.

Between them they use every adapter that asks AWS, every strategy, each way back, and what a person types besides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phoenix.aws.rights import Role
from phoenix.engine.control import pause, resume
from phoenix.engine.drill import DrillRequest, run_drill
from phoenix.engine.group import Group
from phoenix.engine.look import look
from phoenix.engine.many.sweep import sweep
from phoenix.engine.plan import make_plan
from phoenix.engine.repair import find_repairs, repair
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.sandbox import ManualClock, Sandbox
from phoenix.sandbox.functions import add_function
from phoenix.stores.dynamodb_table import definition
from phoenix.wiring.rights import Where, own_document
from tests.iam.evaluator import Request
from tests.iam.recorder import FILLED, Recorder
from tests.images.signing import Statement, a_key, a_manifest, pem
from tests.rotation import iac
from tests.rotation.stage import BRISK, NEW_NAME, STEADY, Stage, UnhurriedAws, a_policy, write_policy

CANARY = {"kind": "canary", "steps": [{"weight": 20, "bake": "10m"}], "bake": "30s"}
CONFIRM = {"kind": "alb", "propagation": "15s", "arrival": "confirm"}
ASKED: dict[str, Any] = {**CANARY, "routes": [{"header": "X-Canary", "values": ["always"]}]}
ALARM = [BRISK, {"kind": "alarm", "alarms": ["web-5xx"]}]
METRICS = {
    "kind": "metrics",
    "metrics": [{"name": "errors", "metric": "HTTPCode_Target_5XX_Count", "per": "RequestCount"}],
}
ROLLING = {"kind": "rolling", "batch": "50%", "bake": "15s"}
PARAMETER = "/images/web"
STATEMENTS, SIGNER = "phoenix-statements", a_key()
BUCKET, PREFIX = "phoenix-policies", "live/"
TRIED = {"ec2:RunInstances", "ec2:CreateTags", "ec2:CreateLaunchTemplateVersion"}
ON_AWS: dict[str, Any] = {"store": "dynamodb://phoenix", "policies": f"s3://{BUCKET}/{PREFIX}"}
NEWS = [{"kind": "sns", "topic": FILLED["topic_arn"]}, {"kind": "eventbridge", "bus": "phoenix"}]


@dataclass
class Run:
    """One sandbox, and what was asked there, by role."""

    stage: Stage
    recorder: Recorder
    own: dict[Role, Any]
    """What `phoenix iam` prints for the policy of this run."""
    requests: dict[Role, list[Request]] = field(default_factory=lambda: {role: [] for role in Role})

    @contextmanager
    def by(self, role: Role) -> Iterator[None]:
        """Whatever is asked inside is asked with that role's rights."""
        since = len(self.recorder.calls)
        yield
        self.requests[role] += self.recorder.requests(since)

    def in_the_bake(self) -> None:
        self.stage.tick_until(lambda report: "baking" in report.sentence)


@contextmanager
def a_run(folder: Path, group: str = "web", policy: dict[str, Any] | None = None) -> Iterator[Run]:
    folder.mkdir()
    clock = ManualClock()
    with Sandbox(clock=clock, seed_group=False, physics=STEADY) as box:
        recorder = Recorder(box)
        box.seed(group)
        write_policy(folder, policy or a_policy(group))
        stage = Stage(box, clock, group, folder, UnhurriedAws(session=box.session))
        where = Where(
            **ON_AWS, names={name: (FILLED[name],) for name in ("account", "region", "instance_role", "key_arn")}
        )
        library = stage.wiring().library()
        yield Run(stage, recorder, {role: own_document(library, where, role) for role in Role})


def plans_and_looks(run: Run) -> None:
    """The commands of a person who only reads. Their calls to find out who they are are refused, and left out."""
    stage = run.stage
    since = len(run.recorder.calls)
    stage.deny("RunInstances", "CreateLaunchTemplateVersion")
    plan = make_plan(stage.group, RotateRequest())
    stage.box.stop_intercepting()
    assert all(blocker.name == "in-flight" for blocker in plan.in_the_way)
    looks(stage.group)
    found = run.recorder.requests(since)
    run.requests[Role.PLAN] += [request for request in found if request.action not in TRIED]


def asks_who_changed_it(run: Run) -> None:
    """What a screen asks where another writer has moved the weights."""
    for role in (Role.PLAN, Role.ROTATE):
        with run.by(role):
            trail = run.stage.group.trail
            assert trail is not None
            trail.who_changed("web-blue", run.stage.clock.now())


def looks(group: Group) -> None:
    """The questions of `status`, `history` and `doctor`, in every role."""
    look(group)
    assert group.store.location
    group.store.history(group.name)
    group.store.load_many([group.name])


def back_while_hot(folder: Path) -> Run:
    """A blue/green rotation, word by word; then back at once, and `repair`."""
    with a_run(folder, policy=a_policy(traffic=CONFIRM, gates=[*ALARM, METRICS], strategy=ASKED)) as run:
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            run.stage.tick_until(lambda report: "healthy" in report.sentence)
        plans_and_looks(run)
        asks_who_changed_it(run)
        with run.by(Role.ROTATE):
            run.in_the_bake()
        _let_ring(run.stage)
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            run.stage.rotate()
        plans_and_looks(run)
        with run.by(Role.ROLLBACK):
            run.stage.rollback(reason="checkout is slow")
            repair(run.stage.group, find_repairs(run.stage.group))
            looks(run.stage.group)
            run.stage.aws.account_id()
    return run


def back_from_cold(folder: Path) -> Run:
    """One of the new instances gets sick. The old generation is gone by the time an operator wants it, and its slot
    has been given another version."""
    with a_run(folder, policy=a_policy(strategy=CANARY, gates=[BRISK | {"max_unhealthy_percent": 50}])) as run:
        stage = run.stage
        with run.by(Role.ROTATE):
            run.in_the_bake()
            _leave_the_sick_to_us(stage)
            stage.rotate()
            stage.clock.advance(3601)
            stage.tick_until(lambda _: stage.record.hot_until is None, every=60)
        stage.clock.advance(300)
        _tinker(stage)
        with run.by(Role.ROLLBACK):
            looks(stage.group)
            stage.rollback()
    return run


def back_out_of_the_middle(folder: Path) -> Run:
    """A canary that is paused, goes on, and is brought back; store and policies are on AWS, and so is the news."""
    suite = {"kind": "lambda", "function": "acceptance"}
    signed_by = {"key": pem(SIGNER), "statements": f"s3://{STATEMENTS}/web/"}
    image = {"kind": "ssm", "parameter": PARAMETER, "signed_by": signed_by}
    policy = a_policy(strategy=CANARY, image=image, notify=NEWS, gates=[BRISK, suite])
    with a_run(folder, policy=policy) as run:
        stage = run.stage
        _furnish(stage)
        group = stage.driver("here/1", **ON_AWS)
        stage.__dict__["group"] = group
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            run.in_the_bake()
            pause(group, "lunch")
            resume(group)
            stage.clock.advance(30)
            stage.tick()
            group.store.due(stage.clock.now())
        with run.by(Role.PLAN):
            looks(stage.driver("there/2", **ON_AWS))
        with run.by(Role.ROLLBACK):
            looks(stage.wiring(**ON_AWS).group_for_rollback("web"))
            stage.rollback()
    return run


def back_by_tags_alone(folder: Path) -> Run:
    """Neither store nor policy are at hand."""
    with a_run(folder, policy=a_policy(strategy=ASKED)) as run:
        with run.by(Role.ROTATE):
            run.in_the_bake()
        (folder / "web.yaml").unlink()
        with run.stage.unnoticed():
            run.stage.client("dynamodb").create_table(**definition("phoenix"))
        with run.by(Role.ROLLBACK):
            found = run.stage.wiring(store=ON_AWS["store"]).group_for_rollback("web")
            looks(found)
            rollback(found, RollbackRequest(reason="it burns"))
    return run


def back_behind_a_network_load_balancer(folder: Path) -> Run:
    """Its listeners name blue only at first. Back by tags alone, then once more with a policy."""
    traffic = {"kind": "nlb", "propagation": "15s"}
    with a_run(folder, "edge", policy=a_policy("edge", traffic=traffic, strategy=CANARY)) as run:
        _name_one_slot_only(run.stage)
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            run.in_the_bake()
        (folder / "edge.yaml").unlink()
        with run.by(Role.ROLLBACK):
            found = run.stage.wiring(store=f"sqlite:///{folder}/other.db").group_for_rollback("edge")
            rollback(found, RollbackRequest(reason="it burns"))
    return run


def _name_one_slot_only(stage: Stage) -> None:
    with stage.unnoticed():
        elbv2 = stage.client("elbv2")
        arn = elbv2.describe_target_groups(Names=["edge-blue"])["TargetGroups"][0]["TargetGroupArn"]
        for rule in stage.rules():
            stage.rewrite(rule, [{"Type": "forward", "TargetGroupArn": arn}])


def back_past_a_replaced_template(folder: Path) -> Run:
    """The owner's IaC has replaced the launch template, and AWS has launched from it into the retained slot."""
    with a_run(folder) as run:
        stage = run.stage
        with run.by(Role.ROTATE):
            stage.rotate()
        iac.replace_template(stage, NEW_NAME)
        stage.box.kill_instance(stage.instances("blue")[0]["InstanceId"])
        stage.clock.advance(300)
        with run.by(Role.ROLLBACK):
            looks(stage.group)
            stage.rollback()
    return run


def spot_without_traffic(folder: Path) -> Run:
    """Mixed instances, batch by batch, found by a sweep; the way back launches first."""
    with a_run(folder, "workers", a_policy("workers", traffic="none", strategy=ROLLING, gates=None)) as run:
        plans_and_looks(run)
        with run.by(Role.PLAN):
            estate = run.stage.wiring().estate(lambda *_: None, here=True)
            assert sweep(estate, idle=True).looked_at == 1
        with run.by(Role.ROTATE):
            run.stage.rotate()
        with run.by(Role.ROLLBACK):
            run.stage.rollback()
    return run


def a_shared_listener(folder: Path) -> Run:
    """One rule among those of others, the image from the template, an instance that gets sick on the way back."""
    image = {"kind": "launch_template", "owners": ["self"]}
    with a_run(folder, "internal", a_policy("internal", image=image)) as run:
        stage = run.stage
        _publish_in_template(stage)
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            stage.rotate()
    return run


def a_game_day(folder: Path) -> Run:
    """One instance is ended on purpose, and the group measured until it is whole again."""
    with a_run(folder, policy=a_policy(drill={"most": 1, "floor": "75%"})) as run, run.by(Role.ROTATE):
        run_drill(run.stage.group, DrillRequest())
    return run


RUNS: tuple[Callable[[Path], Run], ...] = (
    a_game_day,
    back_while_hot,
    back_from_cold,
    back_out_of_the_middle,
    back_by_tags_alone,
    back_behind_a_network_load_balancer,
    back_past_a_replaced_template,
    spot_without_traffic,
    a_shared_listener,
)


def _furnish(stage: Stage) -> None:
    """The owner's parameter, topic, bus, bucket and table."""
    with stage.unnoticed():
        images = stage.client("ec2").describe_images(Filters=[{"Name": "name", "Values": [NEW_NAME]}])["Images"]
        stage.client("ssm").put_parameter(Name=PARAMETER, Value=images[0]["ImageId"], Type="String")
        stage.client("sns").create_topic(Name="phoenix")
        stage.client("events").create_event_bus(Name="phoenix")
        s3 = stage.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for file in stage.folder.glob("*.yaml"):
            s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}{file.name}", Body=file.read_bytes())
        _sign(s3, str(images[0]["ImageId"]))
        stage.client("dynamodb").create_table(**definition("phoenix"))
        add_function(stage.box.session, "acceptance", lambda event: {"verdict": "PASS", "reason": "9 of 9"})


def _sign(s3: Any, image: str) -> None:
    """What the image's owner lays beside it."""
    manifest = a_manifest(image)
    envelope = json.dumps(Statement(manifest).signed(SIGNER)).encode()
    s3.create_bucket(Bucket=STATEMENTS, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for ending, content in (("manifest", manifest), ("intoto", envelope)):
        s3.put_object(Bucket=STATEMENTS, Key=f"web/{image}.{ending}.json", Body=content)


def _let_ring(stage: Stage) -> None:
    """An alarm changes between two looks, and is quiet again at the second."""
    stage.clock.advance(200)
    for state in ("INSUFFICIENT_DATA", "OK"):
        stage.box.set_alarm("web-5xx", state)
    stage.clock.advance(10)


def _leave_the_sick_to_us(stage: Stage) -> None:
    """One of the new instances fails, and its group does not look at what the load balancer says."""
    for slot in ("blue", "green"):
        stage.resize(slot, HealthCheckType="EC2")
    stage.box.make_unhealthy(stage.instances("green")[0]["InstanceId"])


def _tinker(stage: Stage) -> None:
    """An operator gives the cold slot the version that lives now."""
    template = {"LaunchTemplateName": stage.name, "Version": "2"}
    stage.resize("blue", LaunchTemplate=template)


def _publish_in_template(stage: Stage) -> None:
    with stage.unnoticed():
        ec2 = stage.client("ec2")
        newest = ec2.describe_images(Filters=[{"Name": "name", "Values": ["internal-2026.11.18-9f2c1e"]}])["Images"][0]
        first = ec2.describe_launch_template_versions(LaunchTemplateName="internal")["LaunchTemplateVersions"][0]
        content = first["LaunchTemplateData"] | {"ImageId": newest["ImageId"]}
        ec2.create_launch_template_version(LaunchTemplateName="internal", LaunchTemplateData=content)
