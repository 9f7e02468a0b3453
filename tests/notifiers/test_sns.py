from __future__ import annotations

from typing import Any

from phoenix.notifiers.sns import Settings, SnsNotifier
from tests.notifiers.fakes import StubbedSession, a_notice, a_scope

TOPIC = "arn:aws:sns:eu-west-1:123456789012:news"
FACTS = {"group": "web", "cause": "", "image": "ami-1"}


def published(subject: str, topic: str = TOPIC, name: str = "web-2-abcd.held") -> dict[str, Any]:
    session = StubbedSession("sns")
    session.stubber.add_response("publish", {"MessageId": "1"})
    SnsNotifier(Settings(topic=topic), a_scope(session)).notify(a_notice(subject, "it is in ALARM", name, **FACTS))
    return session.sent[0]


def test_the_message_holds_text_and_facts_and_the_attributes_what_one_filters_by() -> None:
    sent = published("phoenix web: rolling back")

    assert sent == {
        "TopicArn": TOPIC,
        "Subject": "phoenix web: rolling back",
        "Message": "it is in ALARM\n\ngroup: web\ncause: \nimage: ami-1",
        "MessageAttributes": {
            "id": {"DataType": "String", "StringValue": "web-2-abcd.held"},
            "group": {"DataType": "String", "StringValue": "web"},
        },
    }


def test_the_subject_is_made_what_sns_accepts() -> None:
    assert published("wéb\n" + "x" * 200)["Subject"] == "w?b " + "x" * 96


def test_a_fifo_topic_is_told_what_belongs_together_and_what_it_has_seen() -> None:
    first, again, other = (published("held", TOPIC + ".fifo", name) for name in ("a", "a", "b"))

    assert first["MessageGroupId"] == "web"
    assert first["MessageDeduplicationId"] == again["MessageDeduplicationId"] != other["MessageDeduplicationId"]
