from __future__ import annotations

from phoenix.sandbox import Behaviour
from tests.cli.conftest import POLICY, Terminal


def two_groups(phoenix: Terminal) -> None:
    """`web` and, an hour later, `single` are rotated; then `web` is rolled back by hand."""
    single = POLICY.replace("web", "single").replace("team-single", "team-web")
    (phoenix.folder / "single.yaml").write_text(single)
    assert phoenix("rotate web").status == 0
    phoenix.clock.advance(3600)


def test_history_without_a_group_is_one_timeline_newest_first(phoenix: Terminal) -> None:
    two_groups(phoenix)
    assert phoenix("rollback web --reason INC-4711").status == 0

    answer = phoenix("history -o json")

    assert answer.status == 0
    assert [told["group"] for told in answer.document] == ["web"]
    assert answer.document[0]["turned_back_by"]["by"] == "tester"
    assert answer.document[0]["turned_back_by"]["reason"] == "INC-4711"


def test_the_timeline_says_who_and_why_newest_last(phoenix: Terminal) -> None:
    two_groups(phoenix)
    phoenix("rollback web --reason INC-4711")

    shown = [line.split(maxsplit=3) for line in phoenix("history").out.splitlines() if line.startswith("  ")]
    acts = {name: text for _, group, name, text in shown if group == "web"}

    assert list(acts) == ["started", "rollback", "rolled"]
    assert acts["started"].startswith("1 -> 2: new image")
    assert acts["rollback"] == "by tester: INC-4711"


def test_acts_at_rest_are_in_both_timelines_with_who_and_why(phoenix: Terminal) -> None:
    phoenix("pause web --reason stocktaking")
    phoenix.clock.advance(60)
    phoenix("resume web --reason counted")

    fleet, own = phoenix("history"), phoenix("history web")

    for shown in (fleet.out, own.out):
        on_one_line = " ".join(shown.split())
        assert 'no rotation starts until resumed, by tester: "stocktaking"' in on_one_line
        assert 'rotations may start again, by tester: "counted"' in on_one_line
    acts = phoenix("history web -o json").document["acts"]
    assert [(act["name"], act["by"], act["reason"]) for act in acts] == [
        ("paused", "tester", "stocktaking"),
        ("resumed", "tester", "counted"),
    ]
    assert phoenix("history -o json").document == [{"group": "web", "acts": acts}]


def test_until_leaves_out_what_came_after(phoenix: Terminal) -> None:
    phoenix("pause web")
    phoenix.clock.advance(7200)
    phoenix("resume web")

    names = [act["name"] for act in phoenix("history web --until 1h -o json").document["acts"]]
    refused = phoenix("history --since 1h --until 2h")

    assert names == ["paused"]
    assert (refused.status, "--until is before --since" in refused.err) == (2, True)


def test_since_leaves_out_what_ended_before(phoenix: Terminal) -> None:
    two_groups(phoenix)

    assert phoenix("history --since 10m -o json").document == []
    assert "No rotation in the last 10m in 2 groups." in phoenix("history --since 10m").out
    assert len(phoenix("history --since 3h -o json").document) == 1
    assert phoenix("history web --since 10m -o json").document["rotations"] == []
    assert "in the last 10m" in phoenix("history web --since 10m").out
    assert "'10' is no time" in phoenix("history --since 10").err


def test_the_limit_counts_over_all_groups(phoenix: Terminal) -> None:
    phoenix("rotate web")
    phoenix.sandbox.bake_image("web-2026.11.19-bad000", behaviour=Behaviour.ERRING)
    phoenix("rotate web")

    everything = phoenix("history -o json").document
    newest = phoenix("history --limit 1 -o json").document

    assert [told["outcome"] for told in everything] == ["rolled_back", "succeeded"]
    assert newest == everything[:1]


def test_history_asks_aws_nothing(phoenix: Terminal) -> None:
    phoenix("rotate web")

    phoenix("history")

    assert not phoenix.sandbox.calls
