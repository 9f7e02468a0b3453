"""`status` at rest: what comes next, in how many calls, and the writers of foreign changes."""

from __future__ import annotations

from collections import Counter

from tests.cli.conftest import Terminal


def cold(phoenix: Terminal) -> None:
    """`web` is rotated; two hours later the generation before is cold."""
    assert phoenix("rotate web").status == 0
    phoenix.clock.advance(7200)
    phoenix("tick")
    phoenix.clock.advance(600)
    phoenix("tick")


def shifted_by_hand(phoenix: Terminal) -> None:
    """A person at the console gives both target groups a share of every listener."""
    elbv2 = phoenix.sandbox.session.client("elbv2")
    groups = elbv2.describe_target_groups(Names=["web-blue", "web-green"])["TargetGroups"]
    weights = [{"TargetGroupArn": g["TargetGroupArn"], "Weight": w} for g, w in zip(groups, (30, 70), strict=True)]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}]
    for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
        for listener in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            if "web-green" in str(listener["DefaultActions"]):
                elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=actions)


def test_the_list_asks_for_no_group_at_rest_alone(phoenix: Terminal) -> None:
    cold(phoenix)

    shown = phoenix("status")

    asked = Counter(call.operation for call in phoenix.sandbox.calls)
    assert asked == dict.fromkeys(
        ("DescribeAutoScalingGroups", "DescribeRules", "DescribeImages", "DescribeInstances"), 1
    )
    heads, line = shown.out.splitlines()[:2]
    assert heads.split() == ["group", "state", "due", "image", "age", "owner", "next"]
    assert line.split()[:5] == ["web", "at", "rest", "no", "web-2026.11.18-9f2c1e"]
    assert line.endswith("team-web  new image")


def test_the_list_and_the_screen_agree_on_what_comes_next(phoenix: Terminal) -> None:
    cold(phoenix)
    phoenix.sandbox.bake_image("web-2026.11.19-aaaaaa")
    phoenix("pause web --reason stocktaking")

    (listed,) = phoenix("status -o json").document
    alone = phoenix("status web -o json").document

    for found in (listed["next"], alone["next"]):
        assert (found["due"], found["turn"]) == (True, "person")
        assert [wait["name"] for wait in found["waits"]] == ["paused"]
        assert "paused by tester" in found["sentence"]
    assert [row["healthy"] for row in listed["generations"]] == [None, None]
    assert alone["generations"][0]["healthy"] == 4


def test_who_moved_the_weights_is_told_once_cloudtrail_knows(phoenix: Terminal) -> None:
    cold(phoenix)
    shifted_by_hand(phoenix)

    early = phoenix("status web").out
    phoenix.clock.advance(15 * 60)
    late = phoenix("status web").out

    assert "NOT AS LEFT" in early
    assert "Who changed it: not in CloudTrail yet (it takes up to 15 minutes); ask again with:" in early
    assert "aws cloudtrail lookup-events --start-time" in early
    assert "changed by  user/sandbox, ModifyListener at " in late


def test_a_tick_never_asks_cloudtrail(phoenix: Terminal) -> None:
    cold(phoenix)
    shifted_by_hand(phoenix)

    phoenix("tick")

    assert all(call.service != "cloudtrail" for call in phoenix.sandbox.calls)
