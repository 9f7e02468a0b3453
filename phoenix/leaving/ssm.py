"""A document of Systems Manager, run once on each instance before it leaves, and another one where it stays after all.

Must never run one twice for the same rotation unless it has failed: a command carries the rotation's id in its comment,
by which any driver finds it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Literal

from pydantic import Field

from phoenix.aws import run_command
from phoenix.aws.rights import FORWARD, WRITERS, Names, Right, Rights, arn, reads
from phoenix.aws.run_command import DOCUMENTS, RUNNING, DocumentName, Parameters
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.model import Slot, SlotState
from phoenix.core.work import Stage, Work
from phoenix.errors import AccessDenied
from phoenix.leaving.keys import LeavingKeys
from phoenix.leaving.rights import ENDS
from phoenix.orchestrator import Leavers

MOST_TRIES: Final = 3


class Settings(LeavingKeys):
    """The keys of `{kind: ssm}`."""

    kind: Literal["ssm"] = "ssm"
    document: DocumentName = Field(description="Name of the document that Run Command runs on an instance.")
    parameters: Parameters = Field(
        default_factory=dict, description="Its parameters, each a list.", examples=["{commands: [/opt/drain.sh]}"]
    )
    undo: DocumentName | None = Field(
        default=None,
        description="Document that is run where an instance stays after all, or comes back; none: nothing.",
    )
    undo_parameters: Parameters = Field(default_factory=dict, description="The parameters of undo.")

    @property
    def title(self) -> str:
        """With the document."""
        return f"ssm {self.document}"


@dataclass(frozen=True, slots=True)
class _Run:
    """One run on one instance."""

    at: datetime
    is_undo: bool
    status: str


class Ssm:
    """One document. What has run on which instance is asked of Systems Manager, in one call for fifty runs."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = (
        ENDS
        | {Right("ssm:SendCommand", "RunDocuments", WRITERS, (*DOCUMENTS, arn("ec2", "instance/*")))}
        | {Right("ssm:DescribeDocument", "RunDocuments", FORWARD, (*DOCUMENTS, arn("ec2", "instance/*")))}
        | reads("ssm:DescribeInstanceInformation")
        | reads("ssm:ListCommandInvocations", roles=WRITERS)
    )
    checks: ClassVar[tuple[str, ...]] = ("unknown-ssm-document", "not-managed-by-ssm", "ssm-not-readable")

    @staticmethod
    def iam_names(settings: Settings) -> Names:
        """The documents."""
        return {"ssm_document": tuple(filter(None, (settings.document, settings.undo)))}

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self.name = settings.title
        self._settings, self._aws = settings, scope.aws

    # --- while a rotation lasts ---------------------------------------------------------------------------------------

    def observe(self, leavers: Leavers) -> Mapping[str, Work]:
        """By the latest run on each; an instance without any has still to be told."""
        runs = self._runs(leavers)
        return {each: self._work(runs.get(each, [])) for each in leavers.instances}

    def _work(self, runs: Sequence[_Run]) -> Work:
        document, can_return = self._settings.document, self._settings.undo is not None
        if not runs or (runs[-1].is_undo and runs[-1].status == "Success"):
            return Work(Stage.ACTIVE, f"has not run {document}", can_return)
        last = runs[-1]
        if last.is_undo:
            return Work(Stage.LEAVING, f"runs {self._settings.undo}: {last.status}", can_return)
        if last.status == "Success":
            return Work(Stage.DRAINED, "", can_return)
        if last.status in RUNNING:
            return Work(Stage.LEAVING, f"runs {document}", can_return)
        tries = sum(not each.is_undo for each in runs)
        stage = Stage.ACTIVE if tries < MOST_TRIES else Stage.LEAVING
        return Work(stage, f"has not got through {document}: {last.status}, {tries} of {MOST_TRIES} tries", can_return)

    def drain(self, leavers: Leavers) -> None:
        """Run the document where it has not run, or has failed."""
        works = self.observe(leavers)
        wanted = [each for each in leavers.instances if works[each].stage is Stage.ACTIVE]
        self._send(wanted, self._settings.document, self._settings.parameters, _mark(leavers))

    def undrain(self, leavers: Leavers) -> None:
        """Run the other one where the first one was begun, and the other one neither runs nor has run since."""
        if self._settings.undo is None:
            return
        runs = self._runs(leavers)
        wanted = [each for each in leavers.instances if _is_to_be_undone(runs.get(each, []))]
        self._send(wanted, self._settings.undo, self._settings.undo_parameters, _mark(leavers, undo=True))

    def _send(self, wanted: Sequence[str], document: str, parameters: Parameters, comment: str) -> None:
        """One whose agent does not answer is waited for."""
        run_command.send(self._aws, wanted, document, parameters, comment)

    def _runs(self, leavers: Leavers) -> dict[str, list[_Run]]:
        """This rotation's, by instance, the latest last."""
        marks = {_mark(leavers): False, _mark(leavers, undo=True): True}
        found: dict[str, list[_Run]] = {}
        for each in run_command.invocations(self._aws, self._documents(), leavers.since):
            if each.get("Comment") in marks:
                run = _Run(each["RequestedDateTime"], marks[str(each["Comment"])], str(each["Status"]))
                found.setdefault(str(each["InstanceId"]), []).append(run)
        return {instance: sorted(runs, key=lambda run: run.at) for instance, runs in found.items()}

    # --- before a start -----------------------------------------------------------------------------------------------

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """A document that does not exist, and instances without an agent that answers."""
        try:
            unknown = [each for each in self._documents() if not run_command.is_command_document(self._aws, each)]
            return [*map(self._unknown, unknown), *self._find_unmanaged(slots[live])]
        except AccessDenied as error:
            return [Blocker("ssm-not-readable", self.name, f"{error.message}.", error.hint, unchecked=self.checks)]

    def _documents(self) -> tuple[str, ...]:
        return tuple(filter(None, (self._settings.document, self._settings.undo)))

    def _unknown(self, document: str) -> Blocker:
        return Blocker(
            "unknown-ssm-document",
            self.name,
            f"Systems Manager knows no document {document} of type Command here. Those that it knows:",
            "aws ssm list-documents --filters Key=DocumentType,Values=Command",
        )

    def _find_unmanaged(self, live: SlotState) -> Iterator[Blocker]:
        serving = [i.id for i in live.instances if i.in_service]
        online = run_command.online(self._aws, serving)
        missing = [each for each in serving if each not in online]
        if missing:
            shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            yield Blocker(
                "not-managed-by-ssm",
                self.name,
                f"{shown} of {live.auto_scaling_group}: no agent of Systems Manager answers there, so"
                f" {self._settings.document} could not be run. What is known of them:",
                "aws ssm describe-instance-information",
            )


def _mark(leavers: Leavers, *, undo: bool = False) -> str:
    return f"phoenix {leavers.rotation} {'stays' if undo else 'leaves'}"


def _is_to_be_undone(runs: Sequence[_Run]) -> bool:
    if not runs:
        return False
    last = runs[-1]
    undone = sum(each.is_undo for each in runs)
    failed = last.is_undo and last.status not in RUNNING and last.status != "Success"
    return not last.is_undo or (failed and undone < MOST_TRIES)
