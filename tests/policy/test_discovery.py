"""`discovery` in a policy: what may be said, and what would say the same thing twice."""

from __future__ import annotations

from pathlib import Path

from phoenix.policy.terms import terms_of
from tests.policy.builders import a_policy, problems, the_policy

SERVICE = "{kind: cloud_map, service: srv-0123456789abcdef}"


def test_a_registry_is_the_first_station_on_the_way_out(tmp_path: Path) -> None:
    terms = terms_of(the_policy(tmp_path, a_policy(discovery=f"[{SERVICE}]", before_leaving="[{kind: consul}]")))

    assert [each.name for each in terms.stations] == ["cloud_map srv-0123456789abcdef", "consul"]


def test_the_same_datacenter_in_both_lists_says_it_twice(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a_policy(discovery="[{kind: consul}]", before_leaving="[{kind: consul}]"))

    assert "consul is in discovery, which takes an instance out before it leaves: leave it out here" in found


def test_a_service_is_listed_once(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a_policy(discovery=f"[{SERVICE}, {SERVICE}]"))

    assert "cloud_map srv-0123456789abcdef is given twice" in found


def test_an_agent_that_leaves_for_good_cannot_be_announced_again(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a_policy(discovery="[{kind: consul, deregister: true}]"))

    assert "unknown key deregister" in found


def test_registries_have_to_fit_into_the_rotation(tmp_path: Path) -> None:
    service = SERVICE.replace("}", ", timeout: 3h}")

    (found,) = problems(tmp_path, a_policy(discovery=f"[{service}]"))

    assert "together they may take 3h, timeouts.rotation is 2h" in found
