"""`doctor` on the groups themselves: whose they are, what was left in them, whether anything advances them."""

from __future__ import annotations

from typing import Any

from phoenix.cli.doctor_groups import Place, quotas
from phoenix.errors import AccessDenied
from phoenix.fleets.in_place_calls import HOOK
from phoenix.sandbox import Call
from tests.cli.conftest import Terminal
from tests.cli.probing import denied, failed
from tests.fleets.test_group_quota import AT, an_account
from tests.remedies import run_remedy

IN_PLACE = """\
version: 1
group: api
fleet: {kind: in_place, auto_scaling_group: web-blue}
traffic: attached
image: {kind: search, owners: [self], name: "web-*"}
"""


def check(phoenix: Terminal, name: str) -> dict[str, Any]:
    """The doctor's finding under this name."""
    (found,) = [each for each in phoenix("doctor -o json").document["checks"] if each["name"] == name]
    return dict(found)


def scaling(phoenix: Terminal) -> Any:
    return phoenix.sandbox.session.client("autoscaling")


def test_a_healthy_account_passes_every_check(phoenix: Terminal) -> None:
    answer = phoenix("doctor -o json")

    assert failed(answer) == set()
    assert {"groups", "marks", "one store", "left behind", "schedule", "rights", "quotas"} <= {
        each["name"] for each in answer.document["checks"]
    }
    assert phoenix.writes == []


def test_a_group_whose_tag_names_another_store_fails(phoenix: Terminal) -> None:
    tag = {"Key": "phoenix:store", "Value": "dynamodb://123456789012/eu-west-1/other", "PropagateAtLaunch": False}
    scaling(phoenix).create_or_update_tags(
        Tags=[{"ResourceId": "web-blue", "ResourceType": "auto-scaling-group", **tag}]
    )

    found = check(phoenix, "one store")

    assert not found["passed"]
    assert "web-blue belongs to dynamodb://123456789012/eu-west-1/other" in found["text"]
    assert "PHOENIX_STORE" in found["hint"]


def test_a_group_that_this_store_rotated_is_its_own(phoenix: Terminal) -> None:
    phoenix("rotate web")

    assert check(phoenix, "one store")["passed"]


def test_a_file_is_no_store_for_a_function_in_the_account(phoenix: Terminal) -> None:
    phoenix.advance = "phoenix-advance"

    found = check(phoenix, "store")

    assert not found["passed"]
    assert "the function phoenix-advance does not see" in found["text"]
    assert "dynamodb://" in found["hint"]


def test_instances_in_standby_that_phoenix_does_not_keep_fail_until_the_remedy_is_run(phoenix: Terminal) -> None:
    phoenix.clock.advance(600)
    group = scaling(phoenix).describe_auto_scaling_groups(AutoScalingGroupNames=["web-blue"])["AutoScalingGroups"][0]
    instance = group["Instances"][0]["InstanceId"]
    scaling(phoenix).enter_standby(
        AutoScalingGroupName="web-blue", InstanceIds=[instance], ShouldDecrementDesiredCapacity=True
    )
    phoenix.clock.advance(600)

    found = check(phoenix, "left behind")
    run_remedy(phoenix.sandbox.session, found["hint"])
    phoenix.clock.advance(600)

    assert (found["passed"], "1 instance is in Standby in web-blue" in found["text"]) == (False, True)
    assert check(phoenix, "left behind")["passed"]


def test_a_hook_of_phoenixs_without_a_rotation_fails_until_the_remedy_is_run(phoenix: Terminal) -> None:
    (phoenix.folder / "web.yaml").write_text(IN_PLACE)
    scaling(phoenix).put_lifecycle_hook(
        AutoScalingGroupName="web-blue",
        LifecycleHookName=HOOK,
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
    )

    found = check(phoenix, "left behind")
    run_remedy(phoenix.sandbox.session, found["hint"])

    assert (found["passed"], HOOK in found["text"]) == (False, True)
    assert check(phoenix, "left behind")["passed"]


def test_a_rotation_in_flight_that_nothing_advances_fails(phoenix: Terminal) -> None:
    phoenix("rotate web --no-wait")
    assert check(phoenix, "schedule")["passed"]
    phoenix.clock.advance(25 * 60)

    found = check(phoenix, "schedule")

    assert (found["passed"], found["text"]) == (
        False, "nothing has advanced web for 25m, though a rotation is in flight there",
    )  # fmt: skip


def test_a_right_that_is_missing_is_named_with_its_resource(phoenix: Terminal) -> None:
    phoenix.sandbox.world.not_allowed.add("autoscaling:UpdateAutoScalingGroup")

    found = check(phoenix, "rights")

    assert not found["passed"]
    assert "autoscaling:UpdateAutoScalingGroup on arn:aws:autoscaling:" in found["text"]
    assert "web-blue" in found["text"]


def refuse_simulation(call: Call, stage: str) -> None:
    if (call.operation, stage) == ("SimulatePrincipalPolicy", "before"):
        raise denied(call)


def test_who_may_not_simulate_is_told_that_nothing_was_simulated(phoenix: Terminal) -> None:
    phoenix.sandbox.intercept(refuse_simulation)

    found = check(phoenix, "rights")

    assert (found["passed"], found["warning"]) == (True, True)
    assert "not simulated" in found["text"]


def test_a_quota_that_leaves_no_room_fails_with_the_request_for_more() -> None:
    group = {"AutoScalingGroupName": "web-blue", "Instances": [{"InstanceType": "m7g.large"}] * 12}
    place = Place(an_account(64, 41), (), {"web-blue": group}, {})

    found = quotas(place, AT)

    assert not found.passed
    assert "24 more vCPUs are needed for 12 of m7g.large" in found.words
    assert "request-service-quota-increase" in str(found.hint)


def test_a_quota_that_cannot_be_read_is_not_called_sufficient() -> None:
    group = {"AutoScalingGroupName": "web-blue", "Instances": [{"InstanceType": "m7g.large"}]}

    found = quotas(Place(an_account(get_service_quota=AccessDenied("denied")), (), {"web-blue": group}, {}), AT)

    assert (found.passed, found.warning, "not checked" in found.words) == (True, True, True)
