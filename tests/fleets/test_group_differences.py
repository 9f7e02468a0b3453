from __future__ import annotations

from typing import Any

from phoenix.fleets.group_differences import of_groups


def a_group(**facts: Any) -> dict[str, Any]:
    """One of the two groups of a pair."""
    plain: dict[str, Any] = {
        "AutoScalingGroupName": "web-blue",
        "DesiredCapacity": 4,
        "HealthCheckType": "ELB",
        "VPCZoneIdentifier": "subnet-a,subnet-b",
        "Tags": [{"Key": "Team", "Value": "web"}, {"Key": "phoenix:group", "Value": "web"}],
    }
    return plain | facts


def told(live: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each.attribute, each.live, each.next) for each in of_groups(live, other)]


def test_what_each_group_of_a_pair_has_for_itself_is_no_difference() -> None:
    other = a_group(AutoScalingGroupName="web-green", DesiredCapacity=0, VPCZoneIdentifier="subnet-b,subnet-a")
    other["Tags"] = [{"Key": "Team", "Value": "web"}, {"Key": "phoenix:generation", "Value": "2"}]

    assert told(a_group(), other) == []


def test_every_other_attribute_is_told_by_its_path_with_both_values() -> None:
    other = a_group(HealthCheckType="EC2", HealthCheckGracePeriod=300, Tags=[{"Key": "Team", "Value": "api"}])

    assert told(a_group(), other) == [
        ("HealthCheckGracePeriod", "", "300"),
        ("HealthCheckType", "ELB", "EC2"),
        ("Tags.Team", "web", "api"),
    ]


def test_user_data_is_told_by_its_digest_alone() -> None:
    live, other = a_group(UserData="c2VjcmV0"), a_group(UserData="b3RoZXI=")

    ((attribute, before, after),) = told(live, other)

    assert attribute == "UserData"
    assert before.startswith("sha256 ")
    assert "c2VjcmV0" not in before + after
