"""Does a program of the owner's, on the driver's machine, let the candidate pass?

Must never go through a shell, nor run where only phoenix itself is installed: in the function that advances groups,
a person who may write a policy would run programs with its rights.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from phoenix.aws.rights import ROTATE, Rights, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.explain import ago
from phoenix.core.model import Cause, Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.gates.acceptance import AcceptanceKeys, Answer, Question, judge
from phoenix.gates.command_runs import Asked, Ended, Runs
from phoenix.gates.question import describe, environment
from phoenix.keys import wrong
from phoenix.places import state_folder

NOT_YET: Final = 75
"""EX_TEMPFAIL of sysexits.h: the same status that mail programs give for "try again"."""
FUNCTION: Final = "AWS_LAMBDA_FUNCTION_NAME"
"""The variable that tells a program that it runs in Lambda."""


def _program_first(words: tuple[str, ...]) -> tuple[str, ...]:
    program = words[0]
    if not program or ("/" in program and not program.startswith("/")):
        raise wrong("begins with the name of a program on the PATH, or with an absolute path", at=(0,))
    return words


class Settings(AcceptanceKeys):
    """The keys of `{kind: command}`."""

    kind: Literal["command"] = "command"
    command: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_program_first)] = Field(
        description="Program and arguments, one by one; no shell reads them. Status 0 passes, 75 is asked again, any"
        " other fails.",
        examples=["[k6, run, /srv/checks/smoke.js]"],
    )


class CommandGate:
    """Begins the program once, and looks how it goes on at each tick, also after the driver has changed."""

    settings = Settings
    judges_alone = False
    begins_something = True
    IAM_ACTIONS: ClassVar[Rights] = reads("ec2:DescribeInstances", roles=ROTATE)
    checks: ClassVar[tuple[str, ...]] = ("command-in-function", "command-not-found")

    def __init__(
        self, settings: Settings, scope: Scope, runs: Runs | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.name = f"command {settings.name or PurePath(settings.command[0]).name}"
        self.before_traffic_only = settings.when == "before_traffic"
        self._settings, self._scope, self._environ = settings, scope, environ
        self._runs = runs or Runs(state_folder(environ) / "gates")
        self._host = socket.gethostname()

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """PASS, WAIT or FAIL as the program's exit status says; its last words are the reason."""
        return judge(self._settings, self.name, rotation, seen, self._ask)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Return a blocker where the program cannot be started from here."""
        program, where = self._settings.command[0], f"gate {self.name}"
        if self._environ.get(FUNCTION):
            text = (
                "It runs on the machine of the driver, and this one is a function. Ask a suite that runs"
                " elsewhere: kind lambda, ssm or webhook."
            )
            return [Blocker("command-in-function", where, text)]
        if shutil.which(program, path=self._environ.get("PATH")) is None:
            text = f"There is no program {program} on this machine's PATH, or it may not be run."
            return [Blocker("command-not-found", where, text, f"command -v {program}")]
        return []

    def _ask(self, question: Question) -> Answer:
        if self._environ.get(FUNCTION):
            return Answer(Judgement.FAIL, "a command does not run in a function", Cause.ENVIRONMENT)
        host, _, name = question.ref.partition(":")
        if question.ref and host != self._host:
            # Whether it still runs there cannot be asked from here.
            return Answer(Judgement.WAIT, f"its run was on {host}, and is begun again here")
        if not question.ref:
            name = question.id
            asked = describe(question, self._scope)
            run = Asked(self._settings.command, json.dumps(asked), environment(asked), self._settings.timeout)
            self._runs.begin(name, run, question.seen.at)
        return self._look(name)

    def _look(self, name: str) -> Answer:
        try:
            ended = self._runs.ended(name)
        except FileNotFoundError:
            return Answer(Judgement.WAIT, "its run was lost with its process, and is begun again")
        if ended is None:
            return Answer(Judgement.WAIT, "runs", ref=f"{self._host}:{name}")
        return self._judged(ended)

    def _judged(self, ended: Ended) -> Answer:
        said = ended.tail.strip()
        if ended.late:
            return Answer(Judgement.FAIL, f"was stopped after {ago(self._settings.timeout)}: {said}", Cause.ENVIRONMENT)
        if ended.exit is None:
            return Answer(Judgement.FAIL, f"could not be started: {said}", Cause.ENVIRONMENT)
        if ended.exit < 0:
            return Answer(Judgement.FAIL, f"was ended by signal {-ended.exit}: {said}", Cause.ENVIRONMENT)
        if ended.exit == NOT_YET:
            return Answer(Judgement.WAIT, said or "not yet (exit status 75)")
        if ended.exit == 0:
            return Answer(Judgement.PASS, said or "exit status 0")
        return Answer(Judgement.FAIL, f"exit status {ended.exit}: {said}" if said else f"exit status {ended.exit}")
