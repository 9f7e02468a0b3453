"""Is a rotation due? No reason, no rotation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from phoenix.core.image import Image
from phoenix.core.tags import TAINTED as TAINT_TAG
from phoenix.core.taint import write_taint
from phoenix.core.trigger import LiveInstance, RotateWhen, find_reasons, find_template_reason
from tests.builders import NEW_IMAGE, NOON, OLD_IMAGE, a_generation

NEVER = RotateWhen(new_image=False)
WEEK = timedelta(days=7)


def a_live_instance(age: timedelta = timedelta(days=1), **facts: object) -> LiveInstance:
    """An instance of the live image, a day old."""
    return LiveInstance("i-1", str(facts.pop("image", OLD_IMAGE)), NOON - age, **facts)  # type: ignore[arg-type]


def an_image(image: str = NEW_IMAGE) -> Image:
    return Image(image, "web", NOON - timedelta(minutes=27), "123456789012", "x86_64")


def reasons(when: RotateWhen, image: Image | None = None, *instances: LiveInstance) -> Sequence[str]:
    return find_reasons(when, a_generation(41), image, instances or (a_live_instance(),), NOON)


def test_a_newer_image_is_a_reason_that_says_how_old_it_is() -> None:
    assert reasons(RotateWhen(), an_image()) == ("new image (27m old)",)


@pytest.mark.edge(24)
def test_the_live_image_or_none_is_no_reason() -> None:
    assert reasons(RotateWhen(), an_image(OLD_IMAGE)) == ()
    assert reasons(RotateWhen(), None) == ()


def test_a_new_image_counts_only_where_the_policy_says_so() -> None:
    assert reasons(NEVER, an_image()) == ()


@pytest.mark.parametrize(("age", "due"), [(WEEK, False), (WEEK + timedelta(hours=2), True)])
def test_instances_are_replaced_once_they_are_past_their_lifetime(age: timedelta, due: bool) -> None:
    found = reasons(RotateWhen(max_instance_lifetime=WEEK), None, a_live_instance(), a_live_instance(age))

    assert found == (("oldest instance 7d 2h, limit 7d",) if due else ())


def test_drift_in_anything_else_is_named() -> None:
    drifted = a_live_instance(drift=("security-groups", "volumes"))

    found = reasons(RotateWhen(drift=True), None, a_live_instance(), drifted)

    assert found == ("1 of 2 instances drifted: i-1 (security-groups, volumes)",)
    assert reasons(RotateWhen(), None, drifted) == ()


@pytest.mark.parametrize(("waits", "due"), [(timedelta(hours=1), True), (timedelta(hours=3), False)])
def test_a_taint_counts_once_it_is_old_enough(waits: timedelta, due: bool) -> None:
    taint = write_taint("ann@laptop", NOON - timedelta(hours=2), "debugging")

    found = reasons(RotateWhen(tainted=True, tainted_for=waits), None, a_live_instance(tags={TAINT_TAG: taint}))

    assert found == (("1 tainted: i-1 (debugging, ann@laptop 2026-11-18 10:00 UTC)",) if due else ())


def test_a_taint_of_another_writer_counts_at_once() -> None:
    when = RotateWhen(tainted=True, tainted_for=timedelta(days=1))

    assert reasons(when, None, a_live_instance(tags={TAINT_TAG: "disk"})) == ("1 tainted: i-1 (disk)",)


def test_a_group_without_instances_is_not_past_its_lifetime() -> None:
    assert find_reasons(RotateWhen(max_instance_lifetime=WEEK), a_generation(41), None, (), NOON) == ()


@pytest.mark.edge(23)
def test_drift_is_judged_by_the_image_that_an_instance_runs() -> None:
    drifted = a_live_instance(image="ami-stranger", template_version="1")

    found = reasons(RotateWhen(drift=True), None, a_live_instance(), drifted)

    assert found == ("1 of 2 instances run another image than generation 41",)
    assert reasons(RotateWhen(drift=True)) == ()
    assert reasons(RotateWhen(), None, drifted) == ()


@pytest.mark.parametrize(("value", "why"), [("disk is full", "disk is full"), ("", "no reason given")])
def test_a_tainted_instance_is_a_reason_that_quotes_the_taint(value: str, why: str) -> None:
    found = reasons(RotateWhen(tainted=True), None, a_live_instance(tags={TAINT_TAG: value}))

    assert found == (f"1 tainted: i-1 ({why})",)
    assert reasons(RotateWhen(tainted=True)) == ()
    assert reasons(RotateWhen(), None, a_live_instance(tags={TAINT_TAG: value})) == ()


@pytest.mark.edge(25)
def test_a_change_in_the_launch_template_is_a_reason_only_where_the_owner_says_so() -> None:
    changed = ("InstanceType", "UserData")

    assert find_template_reason(RotateWhen(template=True), changed) == (
        "launch template changed: InstanceType, UserData",
    )
    assert find_template_reason(RotateWhen(template=True), ()) == ()
    assert find_template_reason(RotateWhen(), changed) == ()
