"""Everything that owners write by accident, with its place and what they should have written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.builders import a_canary, a_policy, problems

ONE_KEY = {
    "bare number": ("strategy", "{bake: 10}", "5:18: bake: a duration needs a unit: write 10m or 10s", "{bake: 10m}"),
    "zero": ("retain", "{hot_for: 0}", "5:19: hot_for: a duration needs a unit: write 0s", "{hot_for: 0s}"),
    "spelt out": ("timeouts", "{drain: 5 min}", "5:19: drain: not a duration: write 5m", "{drain: 5m}"),
    "account": ("account", "123456789012", '5:10: account: must be text: write "123456789012"', '"123456789012"'),
    "octal": ("account", "012345670123", "5:10: a number that begins with 0", 'account: "012345670123"'),
    "boolean for text": ("owner", "yes", '5:8: owner: must be text: write "yes"', 'owner: "yes"'),
    "number for text": ("description", "1.10", '5:14: description: must be text: write "1.10"', '"1.10"'),
    "text for boolean": ("rotate_when", '{drift: "no"}', "5:22: drift: write false, without quotes", "{drift: false}"),
    "text for a taint": ("rotate_when", '{tainted: "yes"}', "5:24: tainted: write true, without", "{tainted: true}"),
    "number for a taint": ("rotate_when", "{tainted: 4}", "5:24: tainted: a duration needs a unit", "{tainted: 4m}"),
    "kind of drift": ("drift", "{ignore: [volume]}", "5:18: ignore: no kind of drift; there are", "[volumes]"),
    "per cent sign": ("capacity", "{min_healthy_percentage: 90%}", "5:36: min_healthy_percentage: a whole", ": 90}"),
    "version": ("version", "2", "5:10: version: unknown version 2", "version: 1"),
    "misspelt key": ("freeezes", "[]", "5:1: unknown key freeezes; did you mean freezes?", "freezes: []"),
    "misplaced key": ("hot_for", "1h", "5:1: unknown key hot_for here; it belongs under retain", None),
    "unknown key": ("zzz", "1", "5:1: unknown key zzz; known here: version, group", None),
    "empty key": ("retain", "", "5:8: retain: has no value; write one, or leave the key out", None),
    "misspelt word": ("on_failure", "rolback", "5:13: on_failure: must be rollback or pause", "on_failure: rollback"),
    "one for a list": ("windows", "{}", "5:10: windows: must be a list", None),
    "list for a mapping": ("retain", "[]", "5:9: retain: must be a mapping", None),
    "unknown kind": (
        "gates",
        "[{kind: alarms, alarms: [a]}]",
        "5:16: kind: unknown kind 'alarms'; did you mean alarm?",
        "{kind: alarm, alarms: [a]}]",
    ),
    "no kind": ("gates", "[{alarms: [a]}]", "5:9: gates: kind is missing: target_health", None),
    "number as gate": ("gates", "[1]", "5:9: gates: must be a mapping with a kind", None),
    "word that is not enough": ("gates", "[http]", "5:9: gates: http needs path: write {kind: http, path: ...}", None),
    "alarm without names": ("gates", "[{kind: alarm}]", "5:9: gates: alarms is missing", None),
    "alarm with no names": ("gates", "[{kind: alarm, alarms: []}]", "5:31: alarms: must not be empty", None),
    "gate twice": ("gates", "[target_health, target_health]", "5:24: gates: target_health is given twice", None),
    "no path": ("gates", "[{kind: http, path: healthz}]", "5:28: path: must be a path that starts with /", None),
    "slow http": (
        "gates",
        "[{kind: http, path: /, timeout: 31s}]",
        "5:40: timeout: must be at most 20s: a gate has 22s to answer",
        "timeout: 20s}",
    ),
    "batch": ("strategy", "{kind: rolling, batch: 25}", "5:34: batch: a share of the group", "batch: 25%"),
    "secret": ("notify", "[{kind: slack, webhook_env: 'https://x'}]", "5:37: webhook_env: must be the name of", None),
    "drills without drill": (
        "drills",
        "[{schedule: '0 9 * * 2', duration: 1h}]",
        "5:9: drills: has no effect without drill: {most: 1, floor: 75%}",
        None,
    ),
    "role elsewhere": ("external_id", "abc", "5:14: external_id: has no effect without a role_arn", None),
    "lifetime": ("rotate_when", "{max_instance_lifetime: 0s}", "5:38: max_instance_lifetime: must be longer", None),
    "infinite": ("capacity", "{min_healthy_percentage: .inf}", "5:36: min_healthy_percentage: must be a whole", None),
}


def test_an_unknown_kind_hides_no_other_mistake(tmp_path: Path) -> None:
    found = problems(tmp_path, a_policy(strategy="{kind: cannary, steps: [{weight: 5%, bake: 10}]}"))

    assert [line.partition(": ")[0] for line in found] == ["5:18", "5:44", "5:54"]
    assert all("{kind: canary, steps: [{weight: 5, bake: 10m}]}" in line for line in found)


@pytest.mark.parametrize(("key", "value", "problem", "line"), ONE_KEY.values(), ids=ONE_KEY)
def test_a_trap_is_named_with_its_place_and_the_corrected_line(
    tmp_path: Path, key: str, value: str, problem: str, line: str | None
) -> None:
    (found,) = problems(tmp_path, a_policy(**{key: value}))

    assert found.startswith(problem)
    assert (line or "") in found.partition("\n")[2]
    assert ("\n" in found) == (line is not None)


WINDOWS = {
    "seconds": ('"0 0 2 * * MON"', "6 fields", 'schedule: "0 2 * * MON"'),
    "eventbridge": ("cron(0 2 ? * MON-FRI *)", "6 fields", 'schedule: "0 2 * * MON-FRI"'),
    "eventbridge days": ("cron(0 2 ? * 2-6 *)", "Sunday is 0", None),
    "nonsense": ("at night", "2 fields, five are wanted", None),
    "range": ('"0 25 * * *"', "its hour is wrong", None),
    "never": ('"0 0 30 2 *"', "its day-of-month is wrong", None),
}


@pytest.mark.parametrize(("schedule", "reason", "line"), WINDOWS.values(), ids=WINDOWS)
def test_a_schedule_has_five_fields_that_name_a_time(
    tmp_path: Path, schedule: str, reason: str, line: str | None
) -> None:
    (found,) = problems(tmp_path, a_policy(windows=f"[{{schedule: {schedule}, duration: 4h}}]"))

    assert found.startswith("5:22: schedule: ")
    assert reason in found
    assert (line or "") in found


@pytest.mark.parametrize("zone", ["Europe/Berln", "Europe", "../etc/passwd", "CEST+2"])
def test_a_time_zone_must_be_known(tmp_path: Path, zone: str) -> None:
    (found,) = problems(tmp_path, a_policy(windows=f'[{{schedule: "0 2 * * *", duration: 4h, timezone: {zone}}}]'))

    assert found.startswith("5:59: timezone: unknown time zone")


FREEZES = {
    "backwards": ("{from: 2026-12-20, until: 2026-12-19}", "5:37: until: before its beginning, 2026-12-20"),
    "no such day": ("{from: 2026-02-30, until: 2026-12-19}", "5:18: from: must be a day that exists"),
    "with a time": ("{from: 2026-02-03, until: 2026-02-03T10:00:00Z}", "5:37: until: must be a day that exists"),
    "no end": ("{from: 2026-02-03}", "5:11: freezes: until is missing"),
}


@pytest.mark.parametrize(("freeze", "problem"), FREEZES.values(), ids=FREEZES)
def test_a_freeze_is_made_of_days(tmp_path: Path, freeze: str, problem: str) -> None:
    (found,) = problems(tmp_path, a_policy(freezes=f"[{freeze}]"))

    assert found.startswith(problem)


STEPS = {
    "fall": ("[{weight: 50, bake: 1m}, {weight: 5, bake: 1m}]", "weights must rise: 5 comes after 50"),
    "rest": ("[{weight: 50, bake: 1m}, {weight: 50, bake: 1m}]", "weights must rise: 50 comes after 50"),
    "all": ("[{weight: 100, bake: 1m}]", "100 is always last and implied"),
    "nothing": ("[{weight: 0, bake: 1m}]", "must be at least 1"),
    "sign": ("[{weight: 5%, bake: 1m}]", "a whole number is wanted: write 5"),
    "too much": ("[{weight: 101, bake: 1m}]", "must be from 0 to 100"),
    "no bake": ("[{weight: 5}]", "bake is missing"),
    "weak": ("[{weight: 50, bake: 1m, capacity: 20}]", "20 % of the capacity cannot carry 50 % of the traffic"),
    "weaker": ("[{weight: 5, bake: 1m, capacity: 50}, {weight: 9, bake: 1m, capacity: 20}]", "capacity cannot fall"),
    "none": ("[]", "steps: must not be empty"),
    "too long": ("[{weight: 5, bake: 3h}]", "the bakes alone take 3h5m, timeouts.rotation is 2h"),
}


@pytest.mark.parametrize(("steps", "reason"), STEPS.values(), ids=STEPS)
def test_canary_steps_rise_carry_their_traffic_and_fit_into_the_rotation(
    tmp_path: Path, steps: str, reason: str
) -> None:
    (found,) = problems(tmp_path, a_canary(steps))

    assert found.startswith("5:")
    assert reason in found


def test_a_step_may_wait_for_a_person_however_long_that_takes(tmp_path: Path) -> None:
    assert not problems(tmp_path, a_canary("[{weight: 5, bake: until_promoted}]", bake="until_promoted"))


TIMEOUTS = {
    "launch": ("{launch: 3h}", "5:20: launch: 3h does not fit into timeouts.rotation, 2h"),
    "drain": ("{drain: 3h, rotation: 1h}", "5:19: drain: 3h does not fit into timeouts.rotation, 1h"),
    "bake": ("{rotation: 5m, launch: 1m, drain: 1m}", "does not fit into timeouts.rotation, 5m"),
}


@pytest.mark.parametrize(("timeouts", "problem"), TIMEOUTS.values(), ids=TIMEOUTS)
def test_parts_of_a_rotation_must_fit_into_it(tmp_path: Path, timeouts: str, problem: str) -> None:
    (found,) = problems(tmp_path, a_policy(timeouts=timeouts))

    assert problem in found


WITHOUT_TRAFFIC = {
    "hot": ("retain", "{hot_for: 1h}", "5:19: hot_for: no generation can stay hot without a load balancer"),
    "health": ("gates", "[{kind: target_health}]", "5:16: kind: target_health needs a load balancer"),
    "http": ("gates", "[{kind: http, path: /}]", "5:9: gates: port is missing"),
}


@pytest.mark.parametrize(("key", "value", "problem"), WITHOUT_TRAFFIC.values(), ids=WITHOUT_TRAFFIC)
def test_what_needs_a_load_balancer_is_refused_without_one(tmp_path: Path, key: str, value: str, problem: str) -> None:
    (found,) = problems(tmp_path, a_policy(traffic="none", **{key: value}))

    assert found.startswith(problem)


def test_two_whole_generations_must_be_allowed_to_stand_side_by_side(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a_policy(capacity="{max_healthy_percentage: 150}"))

    assert found.startswith("5:36: max_healthy_percentage: blue_green needs 200")


def test_rolling_needs_room_to_move(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a_policy(strategy="rolling", capacity="{max_healthy_percentage: 100}"))

    assert "rolling has no room" in found


@pytest.mark.parametrize("owner", ['"*"', '"self*"', "all", "amazon", '"123"'])
def test_images_of_anybody_are_never_wanted(tmp_path: Path, owner: str) -> None:
    (found,) = problems(tmp_path, a_policy(image=f"{{kind: search, owners: [{owner}], name: web}}"))

    assert found.startswith("4:32: owners: ")


def test_a_search_names_more_than_an_owner(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a_policy(image="{kind: search, owners: [self]}"))

    assert found.startswith("4:8: image: name or tags are missing")


def test_one_auto_scaling_group_cannot_be_both_slots(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a_policy(fleet="{kind: pair, blue: web, green: web}"))

    assert found.startswith("2:39: green: blue and green must be two different Auto Scaling groups")


@pytest.mark.parametrize("key", ["fleet", "traffic", "image", "group"])
def test_a_missing_key_is_named_with_an_example(tmp_path: Path, key: str) -> None:
    (found,) = problems(tmp_path, a_policy(**{key: None}))

    assert found.startswith(f"1:1: {key} is missing; write {key}: ")


WRONG_KEYS = {
    "named like its kind": (
        "gates",
        "[{kind: alarm, alarm: shop-5xx}]",
        "unknown key alarm; did you mean alarms?",
        "gates: [{kind: alarm, alarms: [shop-5xx]}]",
    ),
    "a list already": (
        "gates",
        "[{kind: alarm, alarm: [shop-5xx]}]",
        "unknown key alarm; did you mean alarms?",
        "gates: [{kind: alarm, alarms: [shop-5xx]}]",
    ),
    "a word with a space": (
        "gates",
        "[{kind: alarm, alarm: my alarm}]",
        "unknown key alarm; did you mean alarms?",
        'gates: [{kind: alarm, alarms: ["my alarm"]}]',
    ),
    "of one value": (
        "gates",
        "[{kind: http, paht: /healthz, port: 8080}]",
        "unknown key paht; did you mean path?",
        "gates: [{kind: http, path: /healthz, port: 8080}]",
    ),
}


@pytest.mark.parametrize(("key", "value", "problem", "line"), WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_key_that_is_nearly_right_is_corrected_as_a_whole(
    tmp_path: Path, key: str, value: str, problem: str, line: str
) -> None:
    (found,) = problems(tmp_path, a_policy(**{key: value}))

    said, corrected = found.splitlines()
    assert said.endswith(problem)
    assert corrected.strip() == line


def test_the_place_of_a_wrong_key_is_the_keys_own(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a_policy(gates="[{kind: alarm, alarm: shop-5xx}]"))

    assert found.startswith("5:23: ")


def test_a_secret_in_the_wrong_place_gets_into_no_corrected_line(tmp_path: Path) -> None:
    secret = "https://hooks.example.com/T0/B0/secret"

    (found,) = problems(tmp_path, a_policy(notify=f'[{{kind: slack, webhook: "{secret}"}}]'))

    assert "put its value into an environment variable, and name it: webhook_env: NAME" in found
    assert secret not in found


@pytest.mark.parametrize("kind", ["elb", "classic", "gwlb", "lattice"])
def test_a_load_balancer_that_phoenix_does_not_shift_is_not_taken_for_another(tmp_path: Path, kind: str) -> None:
    (found,) = problems(tmp_path, a_policy(traffic=f"{{kind: {kind}}}"))

    assert f"kind '{kind}' does not exist: phoenix moves weights of a pair on Application Load Balancers (alb)" in found
    assert len(found.splitlines()) == 1


def test_capacity_beyond_the_weight_is_refused_in_one_group_where_it_would_take_traffic(tmp_path: Path) -> None:
    text = a_policy(
        fleet="{kind: in_place, auto_scaling_group: web}",
        traffic="attached",
        strategy="{kind: canary, steps: [{weight: 5, bake: 1m, capacity: 100}]}",
    )

    (found,) = problems(tmp_path, text)

    assert "in one group whatever is launched takes traffic" in found


ROUTES = {
    "host": ("{header: Host, values: [a]}", "header: AWS takes no condition on the header Host"),
    "two kinds": ("{header: X-A, cookie: a, values: [a]}", "a route is one of header, cookie, query or source"),
    "no kind": ("{values: [a]}", "a route is one of header, cookie, query or source"),
    "no values": ("{header: X-A}", "header needs values"),
    "no block": ("{source: [example.com]}", "example.com is not a CIDR block"),
    "values beside blocks": ("{source: [10.0.0.0/8], values: [a]}", "source has its CIDR blocks itself"),
    "six values": ("{header: X-A, values: [a, b, c, d, e, f]}", "values: is too long a list"),
    "wildcard in a name": ("{header: 'X-*', values: [a]}", "AWS takes no wildcards in a header's name"),
    "long value": (f"{{cookie: a, values: [{'v' * 125}]}}", "AWS takes up to 128 printable letters in a value"),
}


@pytest.mark.parametrize(("route", "problem"), ROUTES.values(), ids=ROUTES)
def test_a_route_that_aws_would_refuse_is_refused_before(tmp_path: Path, route: str, problem: str) -> None:
    strategy = f"{{kind: canary, routes: [{route}], steps: [{{weight: 5, bake: 5m}}]}}"

    (found,) = problems(tmp_path, a_policy(strategy=strategy))

    assert problem in found


def test_the_first_step_may_be_dark_only_where_requests_can_ask(tmp_path: Path) -> None:
    steps = "steps: [{weight: 0, bake: 5m}, {weight: 5, bake: 5m}]"
    asked = "routes: [{header: X-Canary, values: [always]}]"

    (found,) = problems(tmp_path, a_policy(strategy=f"{{kind: canary, {steps}}}"))

    assert "must be at least 1: a step without traffic proves nothing" in found
    assert problems(tmp_path, a_policy(strategy=f"{{kind: canary, {asked}, {steps}}}")) == []


def test_only_an_application_load_balancer_tells_requests_apart(tmp_path: Path) -> None:
    strategy = "{kind: canary, routes: [{header: X-A, values: [a]}], steps: [{weight: 5, bake: 5m}]}"

    (found,) = problems(tmp_path, a_policy(strategy=strategy, traffic="{kind: nlb}"))

    assert "traffic nlb has no rules" in found
