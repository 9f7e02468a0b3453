"""How long things take, and in which order they happen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.sandbox import ManualClock, Physics, Sandbox
from phoenix.sandbox.timeline import Timeline
from tests.sandbox.conftest import Ground, Opener

HEALTHY = ("healthy", None)
NOT_IN_USE = ("unused", "Target.NotInUse")
DRAINING = ("draining", "Target.DeregistrationInProgress")


def test_the_seeded_live_group_is_in_service_and_healthy_at_once(ground: Ground) -> None:
    assert ground.lifecycles("web-blue") == {"InService": 4}
    assert ground.health("web-blue") == {HEALTHY: 4}


def test_nothing_is_launched_in_the_moment_of_the_call(ground: Ground) -> None:
    ground.update(MinSize=4, MaxSize=12)

    assert ground.group()["DesiredCapacity"] == 4
    assert not ground.ids()


def test_instances_are_pending_after_three_seconds_and_in_service_seventeen_later(ground: Ground) -> None:
    ground.update(MinSize=4, MaxSize=12)

    ground.clock.advance(3)
    assert ground.lifecycles() == {"Pending": 4}
    ground.clock.advance(16.9)
    assert ground.lifecycles() == {"Pending": 4}
    ground.clock.advance(0.2)
    assert ground.lifecycles() == {"InService": 4}


def test_in_service_is_not_healthy_until_the_application_answers_a_check(ground: Ground) -> None:
    ground.update(MinSize=4, MaxSize=12)

    ground.clock.advance(22)
    assert ground.lifecycles() == {"InService": 4}
    assert ground.health()[HEALTHY] == 0
    ground.clock.advance(16)
    assert ground.health() == {HEALTHY: 4}


def test_a_target_of_a_group_that_no_rule_names_is_unused_and_never_checked(ground: Ground) -> None:
    for rule in ground.rules():
        if not rule["IsDefault"]:
            ground.elbv2.delete_rule(RuleArn=rule["RuleArn"])
    for listener in ground.listeners():
        blue = ground.forward({"web-blue": 1})
        ground.elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[blue])
    ground.update(MinSize=2, MaxSize=12)

    ground.clock.advance(600)

    assert ground.health() == {NOT_IN_USE: 2}


def test_an_unused_target_is_checked_as_soon_as_a_rule_names_its_group_at_weight_zero(ground: Ground) -> None:
    arn = ground.elbv2.create_target_group(Name="spare", Protocol="HTTP", Port=8080, VpcId=vpc_of(ground))
    spare = arn["TargetGroups"][0]["TargetGroupArn"]
    ground.elbv2.register_targets(TargetGroupArn=spare, Targets=[{"Id": ground.ids("web-blue")[0]}])
    assert ground.health("spare") == {NOT_IN_USE: 1}

    action = ground.forward({"web-blue": 100, "web-green": 0, "spare": 0})
    ground.elbv2.modify_listener(ListenerArn=ground.listeners()[0]["ListenerArn"], DefaultActions=[action])
    ground.clock.advance(1)

    assert ground.health("spare") == {HEALTHY: 1}


def test_a_failing_target_is_unhealthy_after_the_threshold_and_replaced_only_then(ground: Ground) -> None:
    victim = ground.ids("web-blue")[0]
    ground.sandbox.make_unhealthy(victim)

    ground.clock.advance(4)
    assert ground.health("web-blue") == {HEALTHY: 4}
    ground.clock.advance(2)
    assert ground.health("web-blue") == {HEALTHY: 3, ("unhealthy", "Target.ResponseCodeMismatch"): 1}
    ground.clock.advance(180)
    assert ground.health("web-blue") == {HEALTHY: 4}
    assert victim not in ground.ids("web-blue")


def test_a_group_whose_target_group_has_never_been_healthy_replaces_nothing(ground: Ground) -> None:
    ground.grow_green(ground.sandbox.bake_image("web-bad", behaviour="bad"))
    first = ground.ids()

    ground.clock.advance(3600)

    assert ground.ids() == first
    assert ground.health() == {("unhealthy", "Target.ResponseCodeMismatch"): 4}


def test_leaving_targets_drain_for_the_delay_and_their_instances_end_after_that(ground: Ground) -> None:
    ground.update("web-blue", MinSize=2, MaxSize=2)

    ground.clock.advance(4)
    assert ground.health("web-blue") == {HEALTHY: 2, DRAINING: 2}
    assert ground.lifecycles("web-blue") == {"InService": 2, "Terminating": 2}
    ground.clock.advance(30)
    assert ground.health("web-blue") == {HEALTHY: 2}
    ground.clock.advance(20)
    assert ground.lifecycles("web-blue") == {"InService": 2}


def test_weights_are_read_back_at_once_and_take_effect_seconds_later(ground: Ground) -> None:
    ground.grow_green(ground.newest())
    ground.shift(blue=50, green=50)

    assert {weight for rule in ground.rules() for weight in weights(rule)} == {50}
    assert ground.sandbox.serving()["web-green"].highest_share == 0
    ground.clock.advance(5)
    assert ground.sandbox.serving()["web-green"].lowest_share == 0.5


def test_a_dead_machine_is_noticed_and_replaced(ground: Ground) -> None:
    victim = ground.ids("web-blue")[0]

    ground.sandbox.kill_instance(victim)
    ground.clock.advance(40)
    assert ground.lifecycles("web-blue")["Terminating"] == 1
    ground.clock.advance(120)

    assert victim not in ground.ids("web-blue")
    assert ground.lifecycles("web-blue") == {"InService": 4}


def test_an_instance_called_unhealthy_is_terminated_and_replaced(ground: Ground) -> None:
    victim = ground.ids("web-blue")[0]

    ground.autoscaling.set_instance_health(InstanceId=victim, HealthStatus="Unhealthy")
    ground.clock.advance(120)

    assert victim not in ground.ids("web-blue")
    assert "user health-check" in ground.activities("web-blue")[1]["Cause"]


def test_ids_and_times_are_the_same_in_every_run(open_sandbox: Opener) -> None:
    def one_run() -> object:
        clock = ManualClock()
        with Sandbox(clock=clock, random_seed=7) as sandbox:
            ground = Ground(sandbox, clock)
            ground.update(MinSize=3, MaxSize=12)
            clock.advance(19.5)
            return ground.group(), ground.rules(), ground.activities()

    assert one_run() == one_run()


def test_events_happen_in_order_each_at_its_own_time() -> None:
    timeline = Timeline(ManualClock().now())
    began, seen = timeline.now, []
    timeline.after(2, lambda: seen.append(("second", timeline.now - began)))
    timeline.after(1, lambda: timeline.after(0.5, lambda: seen.append(("first", timeline.now - began))))

    timeline.advance(began + timedelta(seconds=10))

    assert seen == [("first", timedelta(seconds=1.5)), ("second", timedelta(seconds=2))]


def test_two_sandboxes_at_once_are_refused(ground: Ground) -> None:
    with pytest.raises(RuntimeError, match="another sandbox is open"):
        Sandbox(clock=ManualClock(), physics=Physics()).__enter__()


def vpc_of(ground: Ground) -> str:
    return str(ground.elbv2.describe_target_groups(Names=["web-blue"])["TargetGroups"][0]["VpcId"])


def weights(rule: dict[str, object]) -> list[int]:
    actions: list[dict[str, dict[str, list[dict[str, int]]]]] = rule["Actions"]  # type: ignore[assignment]
    return [each["Weight"] for action in actions for each in action["ForwardConfig"]["TargetGroups"]]


def test_a_new_alarm_has_too_little_to_go_by_until_its_window_has_been_evaluated(ground: Ground) -> None:
    balancer = ground.elbv2.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["LoadBalancerArn"]
    metrics = {"latency": "TargetResponseTime", "errors": "HTTPCode_Target_5XX_Count"}
    for name, metric in metrics.items():
        ground.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/ApplicationELB",
            MetricName=metric,
            Dimensions=[{"Name": "LoadBalancer", "Value": balancer.partition(":loadbalancer/")[2]}],
            ComparisonOperator="GreaterThanThreshold",
            Threshold=1.0,
            EvaluationPeriods=3,
            Period=60,
            Statistic="Sum",
        )

    def states() -> dict[str, str]:
        alarms = ground.cloudwatch.describe_alarms(AlarmNames=list(metrics))["MetricAlarms"]
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}

    assert states() == {"latency": "INSUFFICIENT_DATA", "errors": "INSUFFICIENT_DATA"}
    ground.clock.advance(3 * 60 + 61)
    assert states() == {"latency": "OK", "errors": "INSUFFICIENT_DATA"}
