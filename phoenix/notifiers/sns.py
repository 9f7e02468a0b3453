"""News to an SNS topic.

Must never make a rotation fail: a topic that does not answer is logged, and that is all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from phoenix.aws.scope import Scope
from phoenix.keys import Kind, Matching
from phoenix.notifiers.sending import sending_to

_TOPIC = r"arn:[a-z0-9-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"


class Settings(Kind):
    """The keys of `{kind: sns}`."""

    kind: Literal["sns"] = "sns"
    topic: Annotated[str, Matching(_TOPIC, "the ARN of an SNS topic: arn:aws:sns:<region>:<account>:<name>")] = Field(
        description="ARN of the topic."
    )


_LONGEST_SUBJECT = 100


class SnsNotifier:
    """News as messages: the subject for mail, the facts as attributes, by which subscriptions can filter."""

    settings = Settings
    IAM_ACTIONS: ClassVar[frozenset[str]] = frozenset({"sns:Publish"})

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._topic, self._aws, self._group = settings.topic, scope.aws, scope.group

    def notify(self, subject: str, text: str, facts: Mapping[str, str]) -> None:
        """Publish one message.

        Raises:
            TransientError: it was not published.
        """
        lines = [text, "", *(f"{name}: {value}" for name, value in facts.items())]
        attributes = {n: {"DataType": "String", "StringValue": value} for n, value in facts.items() if value}
        with sending_to(f"the topic {self._topic}"):
            self._aws.call(
                "sns",
                "publish",
                TopicArn=self._topic,
                Subject=_as_subject(subject),
                Message="\n".join(lines),
                MessageAttributes=attributes,
                **self._order(subject, facts),
            )

    def _order(self, subject: str, facts: Mapping[str, str]) -> dict[str, Any]:
        """FIFO topics want to know what belongs together, and what has been sent before."""
        if not self._topic.endswith(".fifo"):
            return {}
        content = "\n".join((subject, *(f"{name}={value}" for name, value in sorted(facts.items()))))
        return {
            "MessageGroupId": self._group,
            "MessageDeduplicationId": hashlib.sha256(content.encode()).hexdigest(),
        }


def _as_subject(subject: str) -> str:
    """SNS takes printable ASCII only, at most 100 characters, and refuses the whole message otherwise."""
    plain = subject.encode("ascii", "replace").decode("ascii")
    return "".join(c if c.isprintable() else " " for c in plain)[:_LONGEST_SUBJECT].strip() or "phoenix"
