"""Does a document of Systems Manager, run on the candidate's instances themselves, let it pass? This is how a suite of
InSpec, goss or serverspec runs on the image that it is about.

Must never run it twice on one instance for the same question: a command carries the question in its comment, by which
any driver finds it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from phoenix.aws import run_command
from phoenix.aws.rights import FORWARD, ROTATE, Names, Right, Rights, arn, reads
from phoenix.aws.run_command import DOCUMENTS, RUNNING, SUCCESS, DocumentName, Parameters
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.model import Cause, Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.errors import AccessDenied
from phoenix.gates.acceptance import AcceptanceKeys, Answer, Question, first_of, in_one_line, judge
from phoenix.keys import Whole

FAILED = "Failed"
"""The one status that the document's own steps lead to; all others that are no success are the service's."""


class Settings(AcceptanceKeys):
    """The keys of `{kind: ssm}`."""

    kind: Literal["ssm"] = "ssm"
    document: DocumentName = Field(description="Name of the document that Run Command runs on the new instances.")
    parameters: Parameters = Field(
        default_factory=dict, description="Its parameters, each a list.", examples=["{commands: [goss validate]}"]
    )
    instances: Annotated[int, Whole(1, 1000)] | None = Field(
        default=None, description="How many instances it runs on, always the same ones; default: all."
    )


class SsmGate:
    """Runs the document, and looks how it goes on at each tick. It passes once it has succeeded on each instance."""

    settings = Settings
    judges_alone = False
    begins_something = True
    IAM_ACTIONS: ClassVar[Rights] = (
        frozenset({Right("ssm:SendCommand", "RunDocuments", ROTATE, (*DOCUMENTS, arn("ec2", "instance/*")))})
        | {Right("ssm:DescribeDocument", "RunDocuments", FORWARD, (*DOCUMENTS, arn("ec2", "instance/*")))}
        | reads("ssm:DescribeInstanceInformation", "ssm:ListCommandInvocations", roles=ROTATE)
    )
    checks: ClassVar[tuple[str, ...]] = ("ssm-document-unknown", "ssm-document-not-readable")

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self.name = f"ssm {settings.name or settings.document}"
        self.before_traffic_only = settings.when == "before_traffic"
        self._settings, self._aws = settings, scope.aws

    @staticmethod
    def iam_names(settings: Settings) -> Names:
        """The document."""
        return {"ssm_document": (settings.document,)}

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """PASS, WAIT or FAIL as the commands end; the last words of one that failed are the reason."""
        return judge(self._settings, self.name, rotation, seen, self._ask)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Return a blocker where there is no such document. It is not run."""
        name, where = self._settings.document, f"gate {self.name}"
        try:
            if run_command.is_command_document(self._aws, name):
                return []
        except AccessDenied as error:
            return [Blocker("ssm-document-not-readable", where, f"{error.message}.", error.hint, warning=True)]
        text = f"Systems Manager knows no document {name} of type Command here. Those that it knows:"
        remedy = "aws ssm list-documents --filters Key=DocumentType,Values=Command"
        return [Blocker("ssm-document-unknown", where, text, remedy)]

    def _ask(self, question: Question) -> Answer:
        wanted = [each.id for each in first_of(question.instances, self._settings.instances)]
        mark = _mark(question)
        runs = self._runs(question, mark)
        new = [each for each in wanted if each not in runs]
        reached = frozenset[str]()
        if new:
            reached = run_command.send(self._aws, new, self._settings.document, self._settings.parameters, mark)
        silent = [each for each in new if each not in reached]
        failed = [each for each in wanted if each in runs and runs[each]["Status"] not in {*RUNNING, SUCCESS}]
        if failed:
            return _failure(failed[0], runs[failed[0]], len(failed), len(wanted))
        if silent:
            told = f"no agent of Systems Manager answers on {silent[0]}"
            return Answer(Judgement.WAIT, told, Cause.ENVIRONMENT, ref=mark)
        done = sum(each in runs and runs[each]["Status"] == SUCCESS for each in wanted)
        if done < len(wanted):
            return Answer(Judgement.WAIT, f"runs: done on {done} of {len(wanted)}", ref=mark)
        return Answer(Judgement.PASS, f"succeeded on {counted(len(wanted), 'instance')}")

    def _runs(self, question: Question, mark: str) -> dict[str, dict[str, Any]]:
        """The runs for this question, by instance."""
        since = question.rotation.started_at
        found = run_command.invocations(self._aws, (self._settings.document,), since)
        return {str(each["InstanceId"]): each for each in found if each.get("Comment") == mark}


def _failure(instance: str, run: Mapping[str, Any], failed: int, asked: int) -> Answer:
    said = in_one_line(" ".join(_output(run)))
    told = f"{run['Status']} on {failed} of {asked}, {instance}: {said or 'it printed nothing'}"
    return Answer(Judgement.FAIL, told, Cause.IMAGE if run["Status"] == FAILED else Cause.ENVIRONMENT)


def _output(run: Mapping[str, Any]) -> Iterator[str]:
    for step in run.get("CommandPlugins") or ():
        yield str(step.get("Output") or "").strip()


def _mark(question: Question) -> str:
    """The comment, within its 100 letters: the id of a rotation may have some 75."""
    digest = sha256(f"{question.gate} {question.phase}".encode()).hexdigest()[:6]
    return f"phoenix {question.rotation.id} asks {digest}.{question.number}"
