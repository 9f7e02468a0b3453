from __future__ import annotations

import json
import traceback
from collections.abc import Iterator

import pytest

from phoenix.errors import TransientError
from phoenix.notifiers.slack import Settings, SlackNotifier
from tests.notifiers.fakes import Webhook, a_notice, a_scope, a_webhook


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with a_webhook() as listening:
        monkeypatch.setenv("NEWS_URL", listening.address)
        yield listening


def notify(subject: str = "held", text: str = "look") -> None:
    SlackNotifier(Settings(webhook_env="NEWS_URL"), a_scope()).notify(a_notice(subject, text, group="web", cause=""))


def test_a_message_is_the_subject_the_text_and_the_facts_that_say_something(webhook: Webhook) -> None:
    notify()

    assert [json.loads(body) for body in webhook.bodies] == [{"text": "*held*\nlook\ngroup web"}]


def test_a_name_cannot_ring_every_phone(webhook: Webhook) -> None:
    notify(text="<!channel> & <@U1>")

    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in json.loads(webhook.bodies[0])["text"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_not_a_yes_is_an_error_and_no_redirect_is_followed(webhook: Webhook, status: int) -> None:
    webhook.status = status

    with pytest.raises(TransientError, match=f"the webhook in NEWS_URL: HTTP {status}"):
        notify()

    assert len(webhook.bodies) == 1


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/hush", "http://example.com/hush", "ftp://hush", "https://[hush", "hush"]
)
def test_the_address_is_in_no_error_and_no_trace(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NEWS_URL", address)

    with pytest.raises(TransientError, match="news did not reach the webhook in NEWS_URL") as failed:
        notify()

    assert "hush" not in "".join(traceback.format_exception(failed.value))


def test_an_answer_that_never_ends_is_not_read(webhook: Webhook) -> None:
    webhook.ends = False

    notify()

    assert len(webhook.bodies) == 1


def test_an_address_that_only_begins_like_this_machine_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWS_URL", "http://localhost:80@example.com/hush")

    with pytest.raises(TransientError, match="the variable holds no https:// address"):
        notify()
