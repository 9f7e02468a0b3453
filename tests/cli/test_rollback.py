"""`rollback` and `status` as they are typed: what is said where, and before what."""

from __future__ import annotations

import pytest

from phoenix.sandbox import Call
from phoenix.settings import Log
from tests.cli.conftest import POLICY, Terminal

ROLLING = POLICY.replace(
    "{kind: canary, steps: [{weight: 10, bake: 3m}], bake: 1m}", "{kind: rolling, batch: 50%, pause: 10m, bake: 1m}"
)
LEAVES = "--now: traffic goes to generation 1 with 2 of 4 healthy: 50 % of the capacity"


@pytest.fixture
def halfway(phoenix: Terminal) -> Terminal:
    """In the middle of a rolling rotation: two of each generation share the traffic."""
    (phoenix.folder / "web.yaml").write_text(ROLLING, encoding="utf-8")
    for _ in range(40):
        phoenix("tick web")
        if "baking at 50 %" in str(phoenix("status web -o json").document["waiting_for"]):
            return phoenix
        phoenix.clock.advance(15)
    raise AssertionError("never halfway")


@pytest.fixture
def cold(phoenix: Terminal) -> Terminal:
    """Two hours after a rotation."""
    phoenix("rotate web")
    phoenix.clock.advance(7200)
    phoenix("tick web")
    phoenix.clock.advance(300)
    return phoenix


def test_now_says_on_standard_error_what_it_leaves_before_it_acts(halfway: Terminal) -> None:
    said_by_then: list[str] = []

    def listen(call: Call, when: str) -> None:
        if call.mutating and when == "before" and not said_by_then:
            said_by_then.append(halfway.capture.readouterr().err)

    halfway.sandbox.intercept(listen)
    answer = halfway("rollback web --now")

    assert (answer.status, halfway.writes[0] in {"ModifyListener", "ModifyRule"}) == (0, True)
    assert LEAVES in said_by_then[0]


def test_now_says_it_in_the_sentence_of_its_document(halfway: Terminal) -> None:
    answer = halfway("rollback web --now -o json")

    assert (answer.status, answer.document["outcome"]) == (0, "rolled_back")
    assert answer.document["sentence"].startswith(LEAVES)


def test_with_nothing_retained_the_document_says_what_to_type(phoenix: Terminal) -> None:
    answer = phoenix("rollback web -o json")

    assert (answer.status, answer.document["error"]["hint"]) == (5, "phoenix images --group web")
    assert "nothing is retained" in answer.document["error"]["message"]


def test_status_tells_that_a_cold_generation_can_be_launched_again(cold: Terminal) -> None:
    found = cold("status web -o json").document["rollback_ready"]

    assert (found["ready"], found["why"].startswith("1 has 0 of 4 healthy: it grows and is proved first")) == (
        True,
        True,
    )
    assert "rollback  possible, grows first" in cold("status web").out


def test_status_tells_that_the_image_of_a_cold_generation_is_gone(cold: Terminal) -> None:
    generations = cold("status web -o json").document["generations"]
    image = next(each["image"] for each in generations if each["number"] == 1)
    cold.sandbox.session.client("ec2").deregister_image(ImageId=image)

    shown = cold("status web").out
    found = cold("status web -o json").document["rollback_ready"]

    assert (found["ready"], f"{image} is gone" in found["why"]) == (False, True)
    assert "rollback  not possible" in shown
    assert f"  aws ec2 restore-image-from-recycle-bin --image-id {image}" in shown.splitlines()


def test_status_without_a_group_tells_it_as_well(cold: Terminal) -> None:
    (told,) = cold("status -o json").document

    assert "launched first" in told["rollback_ready"]["why"] or "grow" in told["rollback_ready"]["why"], told


def test_log_lines_as_json_have_standard_error_for_themselves(phoenix: Terminal) -> None:
    assert phoenix("rotate web --no-wait").status == 0
    phoenix.log = Log("json", "info")

    said = phoenix("rollback web").err

    assert [line for line in said.splitlines() if not line.startswith("{")] == []
