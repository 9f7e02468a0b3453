"""What is news, in which words, and under which id."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from phoenix.core.model import Cause, Outcome
from phoenix.core.notice import Notice
from phoenix.core.record import GroupRecord, Standstill
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.engine.group import About
from phoenix.engine.news import news_between, standing_still
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.tick import tick
from tests.builders import NOON, a_record, a_rotation, after
from tests.engine.builders import CANARY, a_bench

TRACED = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def news(before: Rotation | None, now: Rotation | None, **about: Any) -> tuple[Notice, ...]:
    return news_between(a_record(before), a_record(now), About(**about), NOON)


def test_a_rotation_is_told_when_it_starts_and_when_it_ends() -> None:
    bench = a_bench()

    bench.rotated()

    assert bench.inbox.subjects == ["phoenix web: generation 2 is on its way", "phoenix web: generation 2 is live"]
    assert bench.inbox.ids == [f"{bench.rotation.id}.started", f"{bench.rotation.id}.succeeded"]


def test_a_rollback_is_told_when_it_begins_and_when_it_is_done_with_its_reason() -> None:
    bench = a_bench()
    bench.rotated()

    rollback(bench.group, RollbackRequest(reason="INC-1"))

    assert bench.inbox.subjects[2:] == [
        "phoenix web: rolling back to generation 1",
        "phoenix web: rolled back to generation 1",
    ]
    assert bench.inbox.texts[2:] == ["INC-1", "INC-1"]


def test_a_hold_is_told_once_however_many_ticks_see_it() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.send(70)

    tick(bench.group)
    tick(bench.group)

    assert [s for s in bench.inbox.subjects if "held" in s] == ["phoenix web: held, a person must look"]


def test_a_record_without_a_rotation_is_no_news() -> None:
    assert news(None, None) == ()


def test_what_goes_on_as_before_is_no_news() -> None:
    assert news(a_rotation(), a_rotation(weight=5)) == ()


def test_the_same_event_of_two_rotations_is_two_pieces_of_news() -> None:
    first, second = news(None, a_rotation(id="web-2-aaaa")), news(a_rotation(id="web-2-aaaa"), a_rotation(id="web-3-b"))

    assert [n.id for n in (*first, *second)] == ["web-2-aaaa.started", "web-3-b.started"]


def test_being_held_twice_is_news_twice() -> None:
    held = a_rotation(held="another writer changed it")
    records = a_record(a_rotation()), a_record(held)

    ids = {n.id for at in (NOON, after(5)) for n in news_between(*records, About(), at)}

    assert len(ids) == 2


def test_a_rotation_that_is_turned_round_before_anybody_knew_it_is_told_as_a_way_back() -> None:
    (notice,) = news(None, a_rotation(back=Ask(NOON, "ann"), cause=Cause.OPERATOR, reason="INC-1"))

    assert (notice.event, notice.text, notice.facts["cause"]) == ("rolling_back", "INC-1", "operator")


def test_an_outcome_without_words_of_its_own_is_named_as_it_is() -> None:
    failed = a_rotation(outcome=Outcome.FAILED, ended_at=NOON)

    assert [n.subject for n in news(a_rotation(), failed)] == ["phoenix web: failed"]


def test_the_facts_say_whose_it_is_where_to_read_on_and_in_which_trace() -> None:
    (notice,) = news(None, a_rotation(trace=TRACED), owner="team-web", runbook="https://wiki/web")

    facts = {"owner": "team-web", "runbook": "https://wiki/web", "trace": "a" * 32, "event": "started"}
    assert facts.items() <= notice.facts.items()
    assert all(notice.facts.values())


def test_standing_still_says_for_how_long_and_because_of_what() -> None:
    blocked = Standstill(NOON, ("template-drift", "quota"))

    notice = standing_still("web", blocked, ("It drifts.", "No room."), About(), NOON + timedelta(days=1, hours=2))

    assert notice.subject == "phoenix web: blocked for 1d 2h by template-drift, quota"
    assert (notice.text, notice.facts["blockers"]) == ("It drifts. No room.", "template-drift, quota")
    assert notice.id == "web.blocked.20261119T140000Z"


def test_a_start_ends_what_was_known_of_a_standstill() -> None:
    bench = a_bench()
    bench.store.save(replace(GroupRecord("web"), blocked=Standstill(NOON, ("quota",))))

    bench.rotated()

    assert bench.record.blocked is None


def test_news_carry_who_why_and_the_commands_to_type() -> None:
    bench = a_bench()
    bench.rotated()

    rollback(bench.group, RollbackRequest(reason="INC-1"))

    started, _, turned, back = [notice.facts for notice in bench.inbox.notices]
    assert (started["by"], started["rollback"]) == ("tester", "phoenix rollback --group web")
    assert (turned["by"], turned["why"], turned["status"]) == ("tester", "INC-1", "phoenix status --group web")
    assert (back["by"], back["why"], back["history"]) == ("tester", "INC-1", "phoenix history --group web")


def test_a_bake_that_waits_for_a_person_is_told_once_with_the_command_to_promote() -> None:
    bench = a_bench(terms={"steps": (replace(CANARY[0], bake=None), *CANARY[1:])})
    bench.baking()

    tick(bench.group)

    (asked,) = [notice for notice in bench.inbox.notices if notice.event == "awaits_promotion"]
    assert "waits for a person to promote it" in asked.subject
    assert asked.facts["promote"] == "phoenix promote --group web"
    assert asked.facts["rollback"] == "phoenix rollback --group web"
