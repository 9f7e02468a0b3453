"""The board asks the store and AWS for all viewers at once, and for none when there is none."""

from __future__ import annotations

from dataclasses import replace

from phoenix.core.record import GroupRecord
from phoenix.pages.entry import Entry
from phoenix.ui.board import FEW, Board
from tests.rotation.stage import a_policy, write_policy
from tests.ui.conftest import Desk


def entry_of(desk: Desk, name: str = "web") -> Entry:
    entry = desk.board.entry(name)
    assert entry is not None
    return entry


def test_a_record_that_another_driver_saves_is_seen_with_the_next_turn(desk: Desk) -> None:
    before = desk.board.serial

    desk.bake()

    assert entry_of(desk).in_flight
    assert desk.board.changed_since(before) == ["web"]


def test_a_turn_without_news_changes_nothing(desk: Desk) -> None:
    desk.bake()
    serial = desk.board.serial

    desk.board.watch()

    assert desk.board.serial == serial


def test_without_viewers_aws_is_asked_nothing(desk: Desk) -> None:
    desk.stage.mark()

    assert desk.board.look_once() is None
    assert desk.reads() == 0


def test_any_number_of_viewers_share_one_look(desk: Desk) -> None:
    for _ in range(20):
        desk.page("/groups/web")
    desk.stage.mark()

    looks = [desk.board.look_once() for _ in range(20)]

    assert [name for name in looks if name is not None] == ["web"]
    assert 0 < desk.reads() < 12


def test_a_group_on_a_page_is_looked_at_again_after_a_while_and_after_news(desk: Desk) -> None:
    entry_of(desk)
    assert desk.board.look_once() == "web"
    desk.stage.clock.advance(5)
    entry_of(desk)
    assert desk.board.look_once() is None

    desk.bake()
    entry_of(desk)

    assert desk.board.look_once() == "web"


def test_a_group_that_cannot_be_observed_says_why_and_is_shown_all_the_same(desk: Desk) -> None:
    entry_of(desk)
    desk.stage.deny("DescribeAutoScalingGroups")

    desk.board.look_once()

    assert "not authorized" in entry_of(desk).trouble
    assert "not authorized" in desk.page("/groups/web")


def test_a_store_that_does_not_answer_is_told_on_every_page_until_it_does(desk: Desk) -> None:
    place = desk.stage.folder / "phoenix.db"
    place.write_bytes(b"no database")
    desk.board.watch()
    told = desk.page()
    place.unlink()
    desk.board.watch()

    assert "not read" in told
    assert "not read" not in desk.page()


def test_a_policy_that_comes_is_a_group_that_comes(desk: Desk) -> None:
    write_policy(desk.stage.folder, a_policy("single"))
    desk.stage.clock.advance(61)

    desk.board.watch()

    assert [entry.name for entry in desk.board.entries()] == ["single", "web"]


def test_of_many_groups_only_those_that_something_happens_to_are_read_each_turn(desk: Desk) -> None:
    store = desk.stage.group.store
    for number in range(FEW + 20):
        write_policy(desk.stage.folder, a_policy(f"g{number}"))
        store.save(GroupRecord(f"g{number}"))
    board = Board(desk.stage.wiring("pages/2"))
    board.watch()
    saved = store.load("g7")
    assert saved is not None
    store.save(replace(saved, highest_number=9))

    board.watch()
    unseen = board.entry("g7")
    board.watch()
    seen = board.entry("g7")

    assert (unseen and unseen.version, seen and seen.version) == (1, 2)


def test_a_look_from_before_the_rotation_says_nothing_of_now(desk: Desk) -> None:
    entry_of(desk)
    desk.board.look_once()
    desk.stage.clock.advance(5)
    desk.bake()

    told = entry_of(desk).told(desk.board.now())

    assert told.seen is None
    assert told.record.in_flight is not None
