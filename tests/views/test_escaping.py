from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.difference import Difference
from phoenix.core.image import Candidate
from phoenix.core.layers import Chain, ImageSeen, Layer
from phoenix.core.planned_call import PlannedCall
from phoenix.core.provenance import REQUIRED
from phoenix.engine.report import Report
from phoenix.views import blocked, history, image, images, plan, progress, status, summary
from phoenix.views.text import clean, table
from tests.views.builders import NEW, NOW, START, a_plan, a_report, a_rolled_back_rotation, a_rotation, an_image

ATTACK = "web\x1b[2J\x1b[H\x1b]0;owned\x07\x9b31m\u202egnp\u200b\r\nPASS"
EVIL = replace(NEW, image_name=ATTACK)


def an_evil_report() -> Report:
    rotation = a_rotation(new=EVIL, waiting_for=ATTACK, trigger=ATTACK, by=ATTACK)
    return a_report(rotation, group=ATTACK, sentence=ATTACK, about=replace(a_report().about, runbook=ATTACK))


def an_evil_image() -> ImageSeen:
    evil = an_image(name=ATTACK, tags=dict.fromkeys((*REQUIRED, "parent_name"), ATTACK))
    layers = (Layer(ATTACK, ATTACK, NOW, evil, newer=replace(evil, created_at=NOW), is_comparable=True),) * 2
    return ImageSeen(NOW, Candidate(evil, ATTACK), Chain(layers, ATTACK), ATTACK)


SCREENS = {
    "status": status.render(an_evil_report()),
    "status of all": status.render_all([an_evil_report()]),
    "plan": plan.render(
        a_plan(
            group=ATTACK,
            next=EVIL,
            reasons=(ATTACK,),
            checks=(ATTACK,),
            differences=(Difference(ATTACK, ATTACK, ATTACK, ATTACK),),
            calls=(PlannedCall("ec2", "CreateTags", {ATTACK: ATTACK}, START),),
        ),
        plan.Manner(verbose=True, calls=True),
    ),
    "blocked": blocked.render(a_plan(blockers=(Blocker(ATTACK, ATTACK, ATTACK, ATTACK),))),
    "history": history.render(ATTACK, [a_rolled_back_rotation(new=EVIL, by=ATTACK, reason=ATTACK)], verbose=True),
    "image": image.render(an_evil_image()),
    "images": images.render(ATTACK, [Candidate(an_image(name=ATTACK), ATTACK)], (), None, NOW),
    "summary": summary.said(an_evil_report()),
}


@pytest.mark.parametrize("screen", SCREENS)
def test_no_name_from_outside_can_move_the_cursor(screen: str) -> None:
    text = SCREENS[screen]

    assert not [character for character in text if character != "\n" and not character.isprintable()]
    assert "\nPASS" not in text


def test_progress_lines_are_escaped_too(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    progress.Lines(sys.stderr, NOW)(an_evil_report())

    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\u061cb", "a\\u061cb"),
        ("a\u180eb", "a\\u180eb"),
        ("a\ufff9b", "a\\ufff9b"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("caf\u00e9 \u6771\u4eac\u3000a\u00a0b", "caf\u00e9 \u6771\u4eac\u3000a\u00a0b"),
    ],
)
def test_every_letter_that_hides_or_turns_others_is_written_out_and_no_other(given: str, shown: str) -> None:
    assert clean(given) == shown


def test_control_characters_are_written_out_not_dropped() -> None:
    assert clean("a\x1b[31mb\u202ec\n") == "a\\x1b[31mb\\u202ec\\x0a"


def test_letters_of_other_languages_stay() -> None:
    assert clean("Müller 東京") == "Müller 東京"


def test_table_cells_are_escaped() -> None:
    assert table(["name"], [["a\x1bb"]]) == ["  name", "  a\\x1bb"]
