"""News to a Slack channel, through an incoming webhook.

The webhook's address is a secret: it must never be in a policy, in a message or in a log.
"""

from __future__ import annotations

import json
import os
import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from phoenix.aws.rights import Rights
from phoenix.aws.scope import Scope
from phoenix.core.notice import Notice
from phoenix.errors import TransientError
from phoenix.keys import Kind, Matching

_TIMEOUT_SECONDS = 5.0

_VARIABLE = "the name of the environment variable that holds the webhook's address, never the address itself"


class Settings(Kind):
    """The keys of `{kind: slack}`."""

    kind: Literal["slack"] = "slack"
    webhook_env: Annotated[str, Matching(r"[A-Za-z_][A-Za-z0-9_]{0,254}", _VARIABLE)] = Field(
        default="PHOENIX_SLACK_WEBHOOK",
        description="Name of the environment variable that holds the webhook's address.",
    )


class SlackNotifier:
    """News as messages of an incoming webhook; Mattermost and others take the same."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = frozenset()

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._variable = settings.webhook_env
        self.name = f"slack {settings.webhook_env}"

    def notify(self, notice: Notice) -> None:
        """Post one message.

        Raises:
            TransientError: it was not accepted, or the variable does not hold an address.
        """
        import urllib3  # comes with botocore, and takes time to import that only news should cost

        listed = " · ".join(f"{name} {value}" for name, value in notice.facts.items() if value)
        message = "\n".join(_escaped(part) for part in (f"*{notice.subject}*", notice.text, listed) if part)
        try:
            with urllib3.PoolManager(timeout=_TIMEOUT_SECONDS) as pool:
                answer = pool.request(
                    "POST",
                    self._address(),
                    body=json.dumps({"text": message}),
                    headers={"Content-Type": "application/json"},
                    redirect=False,
                    retries=False,
                    preload_content=False,  # an answer that never ends would keep the driver
                )
                answer.close()
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            # The error's text holds the address, and so does the traceback of its cause.
            raise self._failed(type(error).__name__) from None
        if not 200 <= answer.status < 300:
            raise self._failed(f"HTTP {answer.status}")

    def _address(self) -> str:
        address = os.environ.get(self._variable, "").strip()
        if not address:
            raise self._failed("the variable is not set")
        # A port of digits only: of `http://localhost:80@example.com/` the host is the last one.
        if re.match(r"https://|http://(localhost|127\.0\.0\.1)(:[0-9]+)?(/|$)", address) is None:
            raise self._failed("the variable holds no https:// address")
        return address

    def _failed(self, why: str) -> TransientError:
        return TransientError(f"news did not reach the webhook in {self._variable}: {why}")


def _escaped(text: str) -> str:
    """Escape the text: Slack takes `<!channel>` and the like for commands, and a name from AWS must not ring every
    phone."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
