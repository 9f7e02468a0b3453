"""News to an SNS topic.

Must never make a rotation fail: a topic that does not answer is only logged.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from phoenix.aws.rights import WRITERS, Names, Right, Rights, with_key
from phoenix.aws.scope import Scope
from phoenix.core.notice import Notice
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
_ATTRIBUTES = ("event", "group", "rotation", "outcome", "cause", "account", "region", "owner")
"""The facts to filter by. SNS passes on at most ten attributes if a subscription wants raw messages."""


class SnsNotifier:
    """News as messages: the subject for mail, id and facts as attributes, by which subscriptions can filter."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = frozenset(
        {
            Right("sns:Publish", "PublishNews", WRITERS, ("${topic_arn}",)),
            *with_key("sns", "Decrypt", "GenerateDataKey", roles=WRITERS),
        }
    )

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._topic, self._aws, self._group = settings.topic, scope.aws, scope.group
        self.name = f"sns {settings.topic}"

    @staticmethod
    def iam_names(settings: Settings) -> Names:
        """The topic that it publishes to."""
        return {"topic_arn": (settings.topic,)}

    def notify(self, notice: Notice) -> None:
        """Publish one message.

        Raises:
            TransientError: it was not published.
        """
        lines = [notice.text, "", *(f"{name}: {value}" for name, value in notice.facts.items())]
        told = {"id": notice.id, **{name: notice.facts[name] for name in _ATTRIBUTES if notice.facts.get(name)}}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
        with sending_to(f"the topic {self._topic}"):
            self._aws.call(
                "sns",
                "publish",
                TopicArn=self._topic,
                Subject=_as_subject(notice.subject),
                Message="\n".join(lines),
                MessageAttributes=attributes,
                **self._order(notice),
            )

    def _order(self, notice: Notice) -> dict[str, Any]:
        """Return the parameters of a FIFO topic: it orders messages of one group, and drops repetitions by id."""
        if not self._topic.endswith(".fifo"):
            return {}
        return {
            "MessageGroupId": self._group,
            "MessageDeduplicationId": hashlib.sha256(notice.id.encode()).hexdigest(),
        }


def _as_subject(subject: str) -> str:
    """Fit the subject: SNS refuses a message if it has more than 100 characters or any but printable ASCII."""
    plain = subject.encode("ascii", "replace").decode("ascii")
    return "".join(c if c.isprintable() else " " for c in plain)[:_LONGEST_SUBJECT].strip() or "phoenix"
