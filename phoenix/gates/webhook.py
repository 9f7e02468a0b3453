"""Does a web service of the owner's let the candidate pass? For suites that run elsewhere, and for a person's approval.

Must never follow a redirect, send unsigned where a secret is named, nor put the secret anywhere but into the signature.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from phoenix.aws.rights import ROTATE, Rights, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.model import Cause, Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.errors import Unreachable
from phoenix.gates import saying
from phoenix.gates.acceptance import AcceptanceKeys, Answer, Question, judge
from phoenix.gates.http_post import AbsolutePath, Post, Request, VariableName, post
from phoenix.gates.question import describe
from phoenix.keys import Matching

SIGNATURE: Final = "X-Phoenix-Signature"
TIMESTAMP: Final = "X-Phoenix-Timestamp"
_HOST: Final = r"[A-Za-z0-9._\[\]:-]*[A-Za-z0-9\]]"
_REST: Final = r"(:[0-9]{1,5})?([/?][!-~]*)?"
"""Nothing before the host: of `http://localhost:80@example.com/` the host is the last one, and gets the signature."""
_SAYS: Final = "an https:// address, with neither a name nor a password before the host"


class Settings(AcceptanceKeys):
    """The keys of `{kind: webhook}`."""

    kind: Literal["webhook"] = "webhook"
    url: Annotated[str, Matching(rf"(https://{_HOST}|http://(localhost|127\.0\.0\.1)){_REST}", _SAYS)] = Field(
        description="Address that is asked with POST; without secrets: they would be in the policy."
    )
    secret_env: VariableName | None = Field(
        default=None, description="Name of the environment variable with the secret that signs each request."
    )
    ca_file: AbsolutePath | None = Field(
        default=None, description="File with the certificates to trust; default: the machine's."
    )


class WebhookGate:
    """Asks the service until it says PASS or FAIL."""

    settings = Settings
    judges_alone = False
    begins_something = True
    IAM_ACTIONS: ClassVar[Rights] = reads("ec2:DescribeInstances", roles=ROTATE)
    checks: ClassVar[tuple[str, ...]] = ("webhook-secret-missing",)

    def __init__(
        self, settings: Settings, scope: Scope, post: Post = post, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.name = f"webhook {settings.name or settings.url.split('/')[2]}"
        self.before_traffic_only = settings.when == "before_traffic"
        self._settings, self._scope, self._post, self._environ = settings, scope, post, environ

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """PASS, WAIT or FAIL as the service says."""
        return judge(self._settings, self.name, rotation, seen, self._ask)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Return a blocker where requests could not be signed. The service is not asked: it would begin its suite."""
        name = self._settings.secret_env
        if name is None or self._environ.get(name):
            return []
        text = f"The variable {name}, which holds the secret that signs its requests, is not set here."
        return [Blocker("webhook-secret-missing", f"gate {self.name}", text)]

    def _ask(self, question: Question) -> Answer:
        body = json.dumps(describe(question, self._scope)).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "phoenix", "Idempotency-Key": question.id}
        if self._settings.secret_env is not None:
            secret = self._environ.get(self._settings.secret_env, "")
            if not secret:
                return Answer(Judgement.FAIL, f"{self._settings.secret_env} is not set here", Cause.ENVIRONMENT)
            headers |= sign(body, secret, question.seen.at)
        try:
            response = self._post(Request(self._settings.url, body, headers, self._settings.ca_file))
        except Unreachable as error:
            return Answer(Judgement.WAIT, f"no answer: {error.message}", Cause.ENVIRONMENT)
        if response.status in {429, 502, 503, 504}:
            return Answer(Judgement.WAIT, f"HTTP {response.status}", Cause.ENVIRONMENT)
        if not 200 <= response.status < 300:
            return Answer(Judgement.FAIL, f"HTTP {response.status}", Cause.ENVIRONMENT)
        return saying.read(response.body)


def sign(body: bytes, secret: str, at: datetime) -> dict[str, str]:
    """The headers that prove who asks, and when: HMAC-SHA256 over `timestamp.body`, in hexadecimal. Without the time in
    it, one that overheard a request could send it again."""
    timestamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP: timestamp, SIGNATURE: f"sha256={digest}"}
