from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from phoenix.aws.session import Access, Aws
from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.errors import AccessDenied, InvalidPolicy, PermanentError, StoreError, UnknownGroup, UsageError
from phoenix.ports import Router
from phoenix.routers.alb import AlbRouter
from phoenix.routers.none import NoRouter
from phoenix.settings import read_settings
from phoenix.stores import open_store
from phoenix.wiring import Overrides, Wiring
from tests.stores.builders import NOON, a_record, a_rotation

POLICY = """\
group: {group}
region: eu-west-1
role_arn: arn:aws:iam::123456789012:role/phoenix
owner: team-{group}
fleet: {{kind: pair, blue: {group}-blue, green: {group}-green}}
traffic: {{kind: alb}}
image: {{kind: search, owners: [self], name: "web-*"}}
gates: [{{kind: alarm, alarms: [web-5xx]}}]
notify: [{{kind: log}}]
"""
BROKEN = "group: api\nfleet: nonsense\n"
SLOTS = {Slot.BLUE: "web-blue", Slot.GREEN: "web-green"}


class TaggedAws(Aws):
    """An AWS that knows these Auto Scaling groups, all tagged with their group, and nothing else."""

    def __init__(self, *groups: str, target_groups: tuple[str, ...] = (), refuses: bool = False) -> None:
        super().__init__()
        self._found = [_an_auto_scaling_group(name, target_groups) for name in groups]
        self._refuses = refuses
        self.asked = 0

    def pages(self, service: str, method: str, items: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        assert method in ("describe_auto_scaling_groups", "describe_target_groups")
        self.asked += 1
        if self._refuses:
            raise AccessDenied("autoscaling:DescribeAutoScalingGroups: no")
        return iter(self._found if service == "autoscaling" else ())

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        raise AssertionError(f"{service} {method} was called")


def _an_auto_scaling_group(name: str, target_groups: tuple[str, ...]) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": name,
        "MinSize": 0,
        "MaxSize": 0,
        "DesiredCapacity": 0,
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "1"},
        "TargetGroupARNs": list(target_groups),
        "Tags": [{"Key": "phoenix:group", "Value": "web"}],
    }


@pytest.fixture(autouse=True)
def _a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("PHOENIX_", "AWS_", "OTEL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def wire(files: Mapping[str, str] | None = None, aws: Aws | None = None, **flags: str) -> Wiring:
    for name, text in (files or {}).items():
        Path("policies").mkdir(exist_ok=True)
        Path("policies", name).write_text(text)
    return Wiring(read_settings(**flags), Overrides(aws=aws or TaggedAws(), driver="us/1", by="ada@laptop"))


def a_policy(group: str = "web") -> str:
    return POLICY.format(group=group)


def test_a_group_is_wired_as_its_policy_says() -> None:
    aws = TaggedAws()
    group = wire({"web.yaml": a_policy()}, aws).group("web")

    assert (group.name, group.slots, group.driver, group.by) == ("web", SLOTS, "us/1", "ada@laptop")
    assert [gate.name for gate in group.gates] == ["target_health", "alarm"]
    assert (len(tuple(group.notifiers)), group.images is None, type(group.router)) == (1, False, AlbRouter)
    assert (group.about.owner, group.about.region) == ("team-web", "eu-west-1")
    assert aws.asked == 0


@pytest.mark.parametrize(("in_flight", "gates"), [(True, ["target_health", "alarm"]), (False, ["target_health"])])
def test_a_policy_that_changes_while_its_rotation_runs_counts_afterwards(in_flight: bool, gates: list[str]) -> None:
    pinned = wire({"web.yaml": a_policy()}).group("web").policy
    wire().store().save(a_record(rotation=a_rotation(policy=pinned, ended_at=None if in_flight else NOON)))
    changed = a_policy().replace("gates: [{kind: alarm, alarms: [web-5xx]}]\n", "")

    group = wire({"web.yaml": changed}).group("web")

    assert [gate.name for gate in group.gates] == gates


def test_a_flag_comes_before_the_region_of_a_policy() -> None:
    files = {"web.yaml": a_policy()}
    wire(files)
    wiring = Wiring(read_settings(), Overrides(region="us-east-1", profile="ops"))

    assert wiring.group("web").about.region == "us-east-1"
    assert Access("us-east-1", "ops", "arn:aws:iam::123456789012:role/phoenix") in wiring._base._aws


def test_a_broken_policy_stops_only_its_own_group() -> None:
    wiring = wire({"web.yaml": a_policy(), "api.yaml": BROKEN})

    groups, problems = wiring.groups(by="schedule")

    assert [(group.name, group.by) for group in groups] == [("web", "schedule")]
    assert all(problem.startswith("policies/api.yaml:") for problem in problems)
    assert wiring.group_names() == ("api", "web")
    with pytest.raises(InvalidPolicy):
        wiring.group("api")


def test_an_unknown_group_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UnknownGroup, match="did you mean web"):
        wire({"web.yaml": a_policy()}).group("wep")


def test_the_common_file_names_the_store_unless_a_flag_does() -> None:
    files = {"phoenix.yaml": "store: sqlite:///common.db\n", "web.yaml": a_policy()}
    for store in (wire(files).store(), wire(files, store="sqlite:///flag.db").store()):
        store.save(a_record())

    assert sorted(path.name for path in Path().glob("*.db")) == ["common.db", "flag.db"]


def test_everybody_but_a_rollback_stops_at_a_store_that_cannot_be_read() -> None:
    Path("bad.db").write_text("no database" * 100)
    wiring = wire({"web.yaml": a_policy()}, store="sqlite:///bad.db")

    with pytest.raises(StoreError, match=r"bad\.db is not an SQLite database"):
        wiring.group("web").store.load("web")

    assert wiring.group_for_rollback("web").store.load("web") is None


def test_a_rollback_with_policy_and_store_uses_both_and_makes_no_call() -> None:
    wiring, aws = wire({"web.yaml": a_policy()}), TaggedAws()
    saved = wiring.store().save(a_record(rotation=a_rotation()))

    group = wire({"web.yaml": a_policy()}, aws).group_for_rollback("web")

    assert (group.store.load("web"), group.slots, aws.asked) == (saved, SLOTS, 0)


@pytest.mark.parametrize("files", [{}, {"web.yaml": "group: web\n"}, {"other.yaml": a_policy("other")}])
def test_a_rollback_without_policy_uses_the_one_that_the_record_has_pinned(files: dict[str, str]) -> None:
    aws = TaggedAws()
    pinned = wire({"web.yaml": a_policy()}).group("web").policy
    Path("policies/web.yaml").unlink()
    wire().store().save(a_record(rotation=a_rotation(policy=pinned)))

    group = wire(files, aws).group_for_rollback("web")

    assert (group.slots, group.about.owner, group.policy, aws.asked) == (SLOTS, "team-web", pinned, 0)


@pytest.mark.parametrize(("routes", "router"), [({"arn:listener": ":443"}, AlbRouter), ({}, NoRouter)])
def test_a_rollback_without_any_policy_goes_by_the_record(routes: dict[str, str], router: type[Router]) -> None:
    wire().store().save(a_record(slots=SLOTS, routes=routes, region="eu-west-1"))

    group = wire().group_for_rollback("web")

    assert (group.slots, type(group.router), group.terms.serving.weights) == (SLOTS, router, bool(routes))


def test_a_pinned_policy_that_cannot_be_read_any_more_is_no_obstacle() -> None:
    rotation = a_rotation(policy='{"version": 99}')
    wire().store().save(a_record(slots=SLOTS, rotation=rotation))

    group = wire().group_for_rollback("web")

    assert (group.slots, group.terms) == (SLOTS, rotation.terms)


@pytest.mark.parametrize("target_groups", [("arn:tg",), ()])
def test_a_rollback_with_neither_policy_nor_store_goes_by_the_tags(target_groups: tuple[str, ...]) -> None:
    Path("bad.db").write_text("no database" * 100)
    aws = TaggedAws("a-green", "b-blue", target_groups=target_groups)

    group = wire(aws=aws, store="sqlite:///bad.db").group_for_rollback("web")

    assert group.slots == {Slot.BLUE: "b-blue", Slot.GREEN: "a-green"}
    assert type(group.router) is (AlbRouter if target_groups else NoRouter)
    assert group.store.location == "none"


def test_a_rollback_does_not_believe_the_default_store_when_the_file_that_may_name_another_is_broken() -> None:
    open_store(None).save(a_record(slots=SLOTS))

    group = wire({"phoenix.yaml": "store: nonsense\n", "web.yaml": a_policy()}, TaggedAws("x", "y")).group_for_rollback(
        "web"
    )

    assert (group.store.location, group.slots) == ("none", {Slot.BLUE: "x", Slot.GREEN: "y"})


def test_a_rollback_of_an_unknown_group_says_what_is_known() -> None:
    with pytest.raises(UnknownGroup, match="did you mean web"):
        wire({"web.yaml": a_policy()}).group_for_rollback("wep")
    with pytest.raises(UnknownGroup, match="did you mean web"):
        wire({"web.yaml": a_policy()}, TaggedAws(refuses=True)).group_for_rollback("wep")


def test_a_rollback_from_the_wrong_directory_says_so_unless_aws_has_worse_to_say() -> None:
    with pytest.raises(UsageError, match="there is no directory policies"):
        wire().group_for_rollback("web")
    with pytest.raises(AccessDenied):
        wire(aws=TaggedAws(refuses=True)).group_for_rollback("web")


def test_a_tag_on_more_than_two_groups_decides_nothing() -> None:
    names = ("one", "two", "three")

    with pytest.raises(PermanentError, match=f"{len(names)} Auto Scaling groups carry the tag phoenix:group=web"):
        wire(aws=TaggedAws(*names)).group_for_rollback("web")


def test_a_command_that_only_reads_creates_no_store() -> None:
    wiring = wire({"web.yaml": a_policy()})

    assert wiring.group("web").store.load("web") is None
    assert wiring.group_for_rollback("web").store.load("web") is None
    assert not Path("state").exists()


def a_pinned_record(files: Mapping[str, str], **facts: Any) -> GroupRecord:
    """Saved by a driver that rotated with these files."""
    wiring = wire(files)
    rotation = a_rotation(policy=wiring.group("web").policy, **facts)
    return wiring.store().save(a_record(slots=SLOTS, region="eu-north-1", rotation=rotation))


def test_a_rollback_is_wired_from_the_record_alone_with_the_rights_that_the_policy_gave() -> None:
    saved = a_pinned_record({"web.yaml": a_policy()})
    wiring = Wiring(read_settings(), Overrides(profile="ops", by="ada@laptop"))

    group = wiring.group_from_record("web")

    assert group is not None
    assert saved.rotation is not None
    assert (group.slots, group.terms, group.store.load("web")) == (SLOTS, saved.rotation.terms, saved)
    assert (group.about.owner, group.about.region, type(group.router)) == ("team-web", "eu-north-1", AlbRouter)
    assert Access("eu-north-1", "ops", "arn:aws:iam::123456789012:role/phoenix") in wiring._base._aws
    assert wiring._library is None


def test_the_notifiers_of_a_group_from_its_record_are_those_of_the_policy_read_when_there_is_news() -> None:
    a_pinned_record({"web.yaml": a_policy()})
    wiring = wire()
    group = wiring.group_from_record("web")

    assert group is not None
    assert wiring._library is None
    assert len(tuple(group.notifiers)) == 1
    assert wiring._library is not None


@pytest.mark.parametrize("facts", [{}, {"slots": SLOTS}, {"slots": SLOTS, "rotation": a_rotation()}])
def test_a_record_that_does_not_say_enough_is_not_gone_by(facts: dict[str, Any]) -> None:
    wire().store().save(a_record(**facts))

    assert wire().group_from_record("web") is None


@pytest.mark.parametrize(
    "policy", ["{", '{"fleet": "pair"}', '{"fleet": {"kind": "trio"}, "traffic": {"kind": "alb"}}']
)
def test_a_pinned_policy_that_makes_no_sense_is_not_gone_by(policy: str) -> None:
    wire().store().save(a_record(slots=SLOTS, rotation=a_rotation(policy=policy)))

    assert wire().group_from_record("web") is None


def test_without_a_record_or_a_store_there_is_no_group_from_a_record() -> None:
    Path("bad.db").write_text("no database" * 100)

    assert wire().group_from_record("web") is None
    assert wire(store="sqlite:///bad.db").group_from_record("web") is None
    assert wire(store="nonsense").group_from_record("web") is None


def test_a_record_is_not_gone_by_where_the_common_file_may_name_another_store() -> None:
    files = {"web.yaml": a_policy()}
    a_pinned_record(files)

    assert wire().group_from_record("web") is not None
    assert wire({"phoenix.yaml": "store: sqlite:///common.db\n"}).group_from_record("web") is None


def test_a_rollback_from_its_record_waits_for_no_library_that_only_policies_and_screens_need() -> None:
    a_pinned_record({"web.yaml": a_policy()})
    code = (
        "import sys; import phoenix.cli.rollback, phoenix.engine.rollback, phoenix.engine.request\n"
        "from phoenix.cli.session import Options, Session\n"
        "session = Session(); session.options = Options(group='web')\n"
        "with session.driving(session.group_from_record()): pass\n"
        "print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    ours = ("phoenix.policy", "phoenix.views", "phoenix.fleets.pair_blockers", "phoenix.routers.alb_blockers")
    unwanted = ("yaml", "rich", "tenacity", "cronsim", *ours)

    said = subprocess.run(
        [sys.executable, "-c", code, *unwanted],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == "[]\n"


def test_wiring_loads_neither_boto3_nor_opentelemetry_nor_a_client() -> None:
    wire({"web.yaml": a_policy()})
    code = (
        "import sys; from phoenix.settings import read_settings; from phoenix.wiring import open_wiring\n"
        "open_wiring(read_settings()).group('web')\n"
        "print([name for name in ('boto3', 'botocore', 'urllib3', 'opentelemetry', 'moto') if name in sys.modules])"
    )
    root = Path(__file__).parent.parent

    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == "[]\n"
