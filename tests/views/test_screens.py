from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.difference import Difference
from phoenix.core.image import Candidate
from phoenix.core.model import Cause, Observation, Outcome, Route, Slot
from phoenix.core.record import Quarantined
from phoenix.engine.report import Report
from phoenix.errors import AccessDenied, InvalidPolicy
from phoenix.views import blocked, doctor, history, images, plan, status, summary
from tests.builders import changed
from tests.views.builders import (
    BLOCKERS,
    NEW,
    NOTHING_RETAINED,
    NOW,
    OLD,
    ONCALL,
    a_plan,
    a_record,
    a_report,
    a_rolled_back_rotation,
    a_rotation,
    an_image,
    an_observation,
    at_rest_after_rollback,
    at_rest_after_success,
    at_rest_and_cold,
    at_rest_and_too_small,
)

Golden = Callable[[str, str], None]


def with_route(seen: Observation, route: Route) -> Observation:
    """The observation with this route in place of the one of that ARN."""
    return replace(seen, routes=tuple(route if each.arn == route.arn else each for each in seen.routes))


STATES: dict[str, Report] = {
    "mid_canary": a_report(),
    "preparing": a_report(
        a_rotation(
            step=0, weight=0, baking_since=None, verdicts=(), waiting_for="preparing: slot green is being emptied"
        ),
        seen=an_observation(green=0, green_weight=0, desired=0),
    ),
    "paused": a_report(a_rotation(paused=replace(ONCALL, at=NOW - timedelta(minutes=1)))),
    "held": a_report(
        a_rotation(held="weight on :443 is 30 %, not 50 %: another writer did that", outcome=Outcome.HELD),
        seen=with_route(an_observation(), Route("arn:443", ":443", {Slot.BLUE: 70, Slot.GREEN: 30})),
    ),
    "rolling_back": a_report(
        a_rotation(
            back=ONCALL,
            weight=0,
            baking_since=None,
            waiting_for="rolling back to 41: traffic is back, settling until 02:59:39",
        ),
        seen=an_observation(green_weight=0),
    ),
    "rolled_back": at_rest_after_rollback(),
    "succeeded": at_rest_after_success(),
    "hot_too_small": at_rest_and_too_small(),
    "cold_without_image": at_rest_and_cold(),
    "never_rotated": a_report(
        record=a_record(live=None), seen=None, lease=None, outcome=Outcome.NONE, rollback_ready=NOTHING_RETAINED
    ),
    "no_new_starts": at_rest_after_rollback(paused=ONCALL),
}


@pytest.mark.parametrize("state", STATES)
def test_status_shows_where_a_group_is_and_what_to_type(state: str, golden: Golden) -> None:
    golden(f"status_{state}", status.render(STATES[state]))


def test_status_of_all_groups_is_a_table_that_one_broken_group_does_not_hide(golden: Golden) -> None:
    reports = [replace(report, group=state.replace("_", "-")) for state, report in STATES.items()]
    refused = AccessDenied("autoscaling:DescribeAutoScalingGroups: not authorized (AccessDenied)")

    text = status.render_all(reports, [("billing", refused)])

    golden("status_all", text)


def test_status_of_no_groups_says_where_to_begin() -> None:
    assert "phoenix policy schema" in status.render_all([])


def test_a_plan_says_what_would_happen_and_that_nothing_was_changed(golden: Golden) -> None:
    golden("plan_due", plan.render(a_plan()))


def test_a_plan_lists_its_calls_with_all_their_parameters(golden: Golden) -> None:
    golden("plan_calls", plan.render(a_plan(), plan.Manner(calls=True)))


def test_a_plan_uses_a_wider_terminal(golden: Golden) -> None:
    golden("plan_wide", plan.render(a_plan(), plan.Manner(width=120)))


def test_a_plan_that_could_not_be_rehearsed_says_so() -> None:
    text = plan.render(a_plan(calls=None), plan.Manner(calls=True))

    assert "could not be rehearsed" in text
    assert "The calls are not known" in text


def test_many_differences_are_cut_unless_all_are_asked_for() -> None:
    many = a_plan(differences=tuple(Difference("template", f"Key{n}", "a", "b") for n in range(20)))

    assert "and 8 differences more (-v lists them)" in plan.render(many)
    assert plan.render(many, plan.Manner(verbose=True)).count("template Key") == 20


def test_a_plan_with_nothing_due_is_short(golden: Golden) -> None:
    golden("plan_not_due", plan.render(a_plan(reasons=(), next=None, rows=())))


def test_a_blocked_plan_names_every_blocker_at_once(golden: Golden) -> None:
    golden("plan_blocked", plan.render(a_plan(blockers=BLOCKERS), plan.Manner(verbose=True)))


def test_a_rotation_that_did_not_start_shows_all_blockers_and_their_remedies(golden: Golden) -> None:
    golden("blocked", blocked.render(a_plan(blockers=BLOCKERS)))


def test_a_command_of_two_lines_can_be_copied_as_it_is() -> None:
    command = "aws autoscaling resume-processes \\\n    --scaling-processes Launch"
    suspended = Blocker("suspended-process", "web-green", "Launch is suspended.", command)

    text = blocked.render(a_plan(blockers=(suspended,)))

    assert "     aws autoscaling resume-processes \\\n         --scaling-processes Launch\n" in text


def test_history_gives_outcome_cause_and_duration(golden: Golden) -> None:
    rotations = [a_rolled_back_rotation(), a_rotation(id="web-41-abcd", outcome=Outcome.SUCCEEDED, ended_at=NOW)]

    golden("history", history.render("web", rotations))


def test_verbose_history_tells_the_story(golden: Golden) -> None:
    golden("history_verbose", history.render("web", [a_rolled_back_rotation()], verbose=True))


def test_history_of_a_group_that_was_never_rotated_says_so() -> None:
    assert history.render("web", []) == "web has never been rotated by phoenix.\n"


def test_every_image_has_the_reason_why_it_is_or_is_not_chosen(golden: Golden) -> None:
    candidates = [
        Candidate(an_image(43), None),
        Candidate(an_image(42), "tags differ: wants channel=stable"),
        Candidate(an_image(41, id=OLD.image), "older than ami-00000000000000043"),
    ]
    quarantine = [Quarantined(an_image(42).id, NOW, Cause.IMAGE, "web-42-7k3f", "alarm web-5xx")]

    golden("images", images.render("web", candidates, quarantine, OLD.image, NOW))


def test_a_rollback_that_is_done_says_how_long_it_took(golden: Golden) -> None:
    golden("rollback_done", summary.rolled_back(at_rest_after_rollback()))


def test_nothing_to_do_is_one_sentence() -> None:
    sentence = "Nothing to do: web is already back on 41."
    report = replace(at_rest_after_rollback(), outcome=Outcome.NONE, sentence=sentence)

    assert summary.rolled_back(report) == sentence + "\n"


def test_the_doctor_gives_a_remedy_for_what_failed(golden: Golden) -> None:
    checks = [
        doctor.Check("python", True, "3.11.4; 3.11 or newer is needed"),
        doctor.Check("credentials", False, "the token has expired", "log in again (aws sso login)"),
        doctor.Check("marks", True, "web-blue is not marked", "see Rights", warning=True),
    ]

    golden("doctor", doctor.render(checks))


@pytest.mark.parametrize("state", STATES)
def test_no_screen_is_wider_than_80_columns(state: str) -> None:
    assert all(len(line) <= 80 for line in status.render(STATES[state]).splitlines())


@pytest.mark.parametrize("state", STATES)
def test_every_screen_is_ascii(state: str) -> None:
    assert status.render(STATES[state]).isascii()


def test_a_bake_that_was_promoted_is_announced_as_such() -> None:
    text = status.render(a_report(a_rotation(promoted=ONCALL)))

    assert "Promoted 02:48:39 UTC by assumed-role/oncall" in text


def test_a_stale_lease_is_not_called_a_driver_at_work() -> None:
    report = a_report()
    assert report.lease is not None
    stale = replace(report.lease, until=NOW - timedelta(minutes=1))

    assert "lease ran out" in status.render(replace(report, lease=stale))


def test_at_rest_users_are_where_aws_sends_them_not_where_the_record_has_them(golden: Golden) -> None:
    moved = replace(at_rest_after_success(), seen=an_observation(green_weight=0))

    golden("status_moved", status.render(moved))


def test_weights_that_differ_between_routes_are_told_route_by_route() -> None:
    report = at_rest_after_success()
    seen = an_observation(green_weight=100)
    one = replace(seen.routes[0], weights={Slot.BLUE: 1, Slot.GREEN: 3})

    text = " ".join(status.render(replace(report, seen=replace(seen, routes=(one, seen.routes[1])))).split())

    assert "on :443 generation 41 has 25 %, generation 42 has 75 %" in text
    assert "Users are on 41, 12 of 12 healthy, and on 42, 12 of 12 healthy." in text


def test_the_list_shows_whose_weights_were_moved() -> None:
    text = status.render_all([replace(at_rest_after_success(), seen=an_observation(green_weight=0))])

    assert "  web    moved" in text
    assert "web: weights were moved by another writer" in text


def test_a_group_without_a_known_live_slot_shows_its_slots(golden: Golden) -> None:
    report = replace(STATES["never_rotated"], seen=an_observation(green_weight=50))

    golden("status_unclear", status.render(report))


def test_a_group_without_traffic_anywhere_says_so() -> None:
    seen = an_observation()
    dry = replace(seen, routes=tuple(replace(route, weights={Slot.BLUE: 0, Slot.GREEN: 0}) for route in seen.routes))

    assert "neither slot has traffic" in status.render(replace(STATES["never_rotated"], seen=dry))


def test_a_rotation_without_a_driver_says_how_it_goes_on() -> None:
    forward, back = a_report(lease=None), replace(STATES["rolling_back"], lease=None)

    assert "driver    none; phoenix rotate --group web goes on" in status.render(forward)
    assert "driver    none; phoenix rollback --group web goes on" in status.render(back)
    assert "goes on" not in status.render(forward, driving=True)


def test_several_problems_of_a_policy_are_lines_of_their_own() -> None:
    error = InvalidPolicy(["policies/web.yaml:3:1: one", "policies/web.yaml:4:1: two"])

    text = status.render_all([], [("web", error)])

    assert text == "web:\n  policies/web.yaml:3:1: one\n  policies/web.yaml:4:1: two\n"


def test_a_plan_that_ignores_something_ends_with_a_command_that_does_too() -> None:
    text = plan.render(a_plan(), plan.Manner(asked="--ignore window --reason x"))

    assert f"phoenix rotate --group web --image {NEW.image} --ignore window --reason x\n" in text


@pytest.mark.parametrize("report", [at_rest_after_success(), at_rest_after_rollback()], ids=["forward", "back"])
def test_of_a_rotation_that_the_tags_told_of_no_time_and_no_name_is_shown(report: Report) -> None:
    last = report.record.rotation
    assert last is not None
    found = changed(
        last, by="", back=None, ended_at=last.started_at, reason="found on the tags of the groups", events=()
    )

    text = status.render(replace(report, record=replace(report.record, rotation=found)))

    assert found.id in text
    assert not any(words in text for words in (" ago", "started", "unknown", " by "))
