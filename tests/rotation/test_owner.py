"""What belongs to the owner of a group comes through a rotation and a rollback unharmed."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.model import Outcome
from tests.rotation.conftest import Opener
from tests.rotation.stage import NEW_NAME, OLD_NAME, Stage, a_policy

AUTHENTICATE = {
    "Type": "authenticate-oidc",
    "AuthenticateOidcConfig": {
        "Issuer": "https://id.example.com",
        "AuthorizationEndpoint": "https://id.example.com/authorize",
        "TokenEndpoint": "https://id.example.com/token",
        "UserInfoEndpoint": "https://id.example.com/me",
        "ClientId": "web",
        "ClientSecret": "not-a-secret",
    },
}
REDIRECT = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}


def there_and_back(stage: Stage) -> None:
    assert stage.rotate().outcome is Outcome.SUCCEEDED
    assert stage.rollback().outcome is Outcome.ROLLED_BACK
    stage.clock.advance(120)


def weights(stage: Stage, rule: dict[str, Any]) -> dict[str, int]:
    """By target group name; empty for a rule that forwards nothing."""
    groups = rule["Actions"][-1].get("ForwardConfig", {}).get("TargetGroups", [])
    return {each["TargetGroupArn"].split("/")[1]: each["Weight"] for each in groups}


# --- the Auto Scaling groups ------------------------------------------------------------------------------------------


def test_the_owner_s_numbers_come_back_after_a_rollback(stage: Stage) -> None:
    stage.resize(MinSize=3, MaxSize=9)

    there_and_back(stage)

    assert stage.size("blue") == (3, 9, 4)
    assert stage.size("green") == (0, 0, 0)


def test_the_owner_s_numbers_move_to_the_slot_that_lives_now(stage: Stage) -> None:
    stage.resize(MinSize=3, MaxSize=9)

    stage.rotate()

    assert stage.size("green") == (3, 9, 4)


def test_numbers_that_the_policy_names_win(open_stage: Opener) -> None:
    fleet = {"kind": "pair", "blue": "web-blue", "green": "web-green", "capacity": {"min": 1, "max": 20}}
    stage = open_stage(policy=a_policy(fleet=fleet))

    stage.rotate()

    assert stage.size("green") == (1, 20, 4)


@pytest.mark.parametrize("process", ["AZRebalance", "InstanceRefresh"])
def test_a_process_that_the_owner_has_suspended_stays_suspended(stage: Stage, process: str) -> None:
    with stage.unnoticed():
        stage.client("autoscaling").suspend_processes(AutoScalingGroupName="web-blue", ScalingProcesses=[process])

    there_and_back(stage)

    assert stage.suspended("blue") == {process}


def test_schedules_that_the_owner_has_suspended_are_not_resumed_by_a_rotation_that_goes_back(
    open_stage: Opener,
) -> None:
    stage = open_stage(scenario="bad-image")
    with stage.unnoticed():
        suspend = stage.client("autoscaling").suspend_processes
        suspend(AutoScalingGroupName="web-blue", ScalingProcesses=["ScheduledActions"])

    assert stage.rotate().outcome is Outcome.ROLLED_BACK

    assert stage.suspended("blue") == {"ScheduledActions"}


def test_a_scale_out_in_the_middle_of_a_rotation_survives_it(stage: Stage) -> None:
    stage.rotate(wait=False)
    stage.resize(DesiredCapacity=7)

    report = stage.rotate()

    assert report.outcome is Outcome.SUCCEEDED
    assert stage.images("green") == {NEW_NAME: 7}
    assert stage.size("green") == (2, 12, 7)


def test_a_live_slot_on_latest_is_pinned_and_launches_the_old_image_meanwhile(stage: Stage) -> None:
    template = {"LaunchTemplateName": "web", "Version": "$Latest"}
    stage.resize(LaunchTemplate=template)

    stage.rotate(wait=False)
    stage.clock.advance(15)
    stage.rotate(wait=False)
    stage.resize(DesiredCapacity=6)
    stage.clock.advance(120)

    assert stage.slot("blue")["LaunchTemplate"]["Version"] == "1"
    assert stage.images("blue") == {OLD_NAME: 6}
    assert stage.rotate().outcome is Outcome.SUCCEEDED


def test_a_live_slot_on_latest_is_pinned_before_the_version_is_made(stage: Stage) -> None:
    stage.resize(LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"})
    stage.mark()

    stage.rotate()

    writes = stage.writes()
    assert writes.index("UpdateAutoScalingGroup") < writes.index("CreateLaunchTemplateVersion")
    assert stage.slot("blue")["LaunchTemplate"]["Version"] == "1"


def test_a_mixed_instances_policy_survives(open_stage: Opener) -> None:
    stage = open_stage("workers", policy=a_policy("workers", traffic="none", gates=[]))
    before = stage.slot("blue")["MixedInstancesPolicy"]

    stage.rotate()

    after = stage.slot("green")["MixedInstancesPolicy"]
    assert after["InstancesDistribution"] == before["InstancesDistribution"]
    assert after["LaunchTemplate"]["Overrides"] == before["LaunchTemplate"]["Overrides"]
    assert after["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"] == "2"


# --- the launch template ----------------------------------------------------------------------------------------------


def test_a_new_version_differs_in_its_image_and_description_only(stage: Stage) -> None:
    stage.rotate()

    old, new = (dict(each["LaunchTemplateData"]) for each in stage.versions())
    assert (old.pop("ImageId"), new.pop("ImageId")) == (stage.rotation.old.image, stage.rotation.new.image)
    assert old["UserData"]
    assert new == old


def test_the_default_version_of_the_template_stays_the_owner_s(stage: Stage) -> None:
    stage.rotate()

    assert [each["DefaultVersion"] for each in stage.versions()] == [True, False]


def test_what_the_owner_has_changed_in_the_template_since_is_carried_on(stage: Stage) -> None:
    with stage.unnoticed():
        stage.client("ec2").create_launch_template_version(
            LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"InstanceType": "m7i.xlarge"}
        )

    stage.rotate()

    newest = stage.versions()[-1]["LaunchTemplateData"]
    assert (newest["InstanceType"], newest["ImageId"]) == ("m7i.xlarge", stage.rotation.new.image)


# --- load balancers ---------------------------------------------------------------------------------------------------


def test_a_third_target_group_in_the_same_action_keeps_its_share(open_stage: Opener) -> None:
    stage = open_stage("internal")

    stage.rotate()
    ours = next(rule for rule in stage.rules() if "internal-legacy" in str(rule["Actions"]))

    total = sum(weights(stage, ours).values())
    assert weights(stage, ours)["internal-legacy"] / total == pytest.approx(0.1)
    assert weights(stage, ours)["internal-green"] / total == pytest.approx(0.9)
    assert weights(stage, ours)["internal-blue"] == 0


def test_rules_of_other_people_are_never_written(open_stage: Opener) -> None:
    stage = open_stage("internal")
    before = [rule for rule in stage.rules() if "internal-blue" not in str(rule["Actions"])]

    there_and_back(stage)

    assert [rule for rule in stage.rules() if "internal-blue" not in str(rule["Actions"])] == before
    touched = {call.params["RuleArn"] for call in stage.calls() if call.operation == "ModifyRule"}
    assert len(touched) == 1


def test_an_authenticating_action_in_front_of_the_forward_survives(stage: Stage) -> None:
    rule = next(each for each in stage.rules() if not each["IsDefault"])
    stage.rewrite(rule, [{**AUTHENTICATE, "Order": 1}, {**rule["Actions"][0], "Order": 2}])

    stage.rotate()

    first, second = next(each for each in stage.rules() if not each["IsDefault"])["Actions"]
    assert first["AuthenticateOidcConfig"]["Issuer"] == "https://id.example.com"
    assert (first["Order"], second["Order"]) == (1, 2)
    assert {each["Weight"] for each in second["ForwardConfig"]["TargetGroups"]} == {0, 100}


def test_a_listener_that_only_redirects_is_left_alone(stage: Stage) -> None:
    plain = min((each for each in stage.rules() if each["IsDefault"]), key=lambda each: each["ListenerArn"])
    stage.rewrite(plain, [REDIRECT])

    there_and_back(stage)

    now = next(each for each in stage.rules() if each["RuleArn"] == plain["RuleArn"])
    assert now["Actions"][0]["RedirectConfig"]["StatusCode"] == "HTTP_301"
    written = {call.params.get("ListenerArn") for call in stage.calls() if call.operation == "ModifyListener"}
    assert plain["ListenerArn"] not in written


def test_long_stickiness_is_suspended_where_the_policy_says_so_and_comes_back(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(traffic={"kind": "alb", "stickiness": "suspend", "propagation": "15s"}))
    sticky = {"Enabled": True, "DurationSeconds": 3600}
    for rule in stage.rules():
        config = {"TargetGroups": rule["Actions"][0]["ForwardConfig"]["TargetGroups"]}
        stage.rewrite(rule, [{"Type": "forward", "ForwardConfig": config | {"TargetGroupStickinessConfig": sticky}}])

    there_and_back(stage)

    found = [rule["Actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"] for rule in stage.rules()]
    assert found == [sticky] * 3
