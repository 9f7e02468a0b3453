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


def test_the_timeline_says_who_and_why(phoenix: Terminal) -> None:
    two_groups(phoenix)
    phoenix("rollback web --reason INC-4711")

    shown = phoenix("history").out

    assert "tester" in shown
    assert "INC-4711" in shown
    assert "new image" in shown


def test_since_leaves_out_what_ended_before(phoenix: Terminal) -> None:
    two_groups(phoenix)

    assert phoenix("history --since 10m -o json").document == []
    assert "No rotation in the last 10m in 2 groups." in phoenix("history --since 10m").out
    assert len(phoenix("history --since 3h -o json").document) == 1
    assert phoenix("history web --since 10m -o json").document["rotations"] == []
    assert "in the last 10m" in phoenix("history web --since 10m").out


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
