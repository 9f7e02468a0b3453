"""Does a Lambda function of the owner's let the candidate pass?

Must never wait for longer than the function may answer: a suite that takes its time answers WAIT, and is asked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from phoenix.aws.rights import FORWARD, ROTATE, Names, Right, Rights, arn, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.model import Cause, Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.errors import NotFound, Unreachable
from phoenix.gates import saying
from phoenix.gates.acceptance import AcceptanceKeys, Answer, Question, in_one_line, judge
from phoenix.gates.question import describe
from phoenix.keys import Matching

NAME = r"(arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:)?[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9$_-]{1,128})?"


class Settings(AcceptanceKeys):
    """The keys of `{kind: lambda}`."""

    kind: Literal["lambda"] = "lambda"
    function: Annotated[str, Matching(NAME, "the name or ARN of a function, with its alias if it has one")] = Field(
        description="Function that is invoked with the question and answers {verdict, reason}, within 20s.",
        examples=["web-acceptance:live"],
    )


class LambdaGate:
    """Invokes the function, and waits for its answer; one that answers WAIT is invoked again."""

    settings = Settings
    judges_alone = False
    begins_something = True
    IAM_ACTIONS: ClassVar[Rights] = frozenset(
        {Right("lambda:InvokeFunction", "AskFunctions", ROTATE, ("${gate_function_arn}",))}
        | {Right("lambda:GetFunctionConfiguration", "ReadFunctions", FORWARD, ("${gate_function_arn}",))}
        | reads("ec2:DescribeInstances", roles=ROTATE)
    )
    checks: ClassVar[tuple[str, ...]] = ("function-not-found",)

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self.name = f"lambda {settings.name or settings.function.rpartition('function:')[2]}"
        self.before_traffic_only = settings.when == "before_traffic"
        self._settings, self._scope = settings, scope

    @staticmethod
    def iam_names(settings: Settings) -> Names:
        """The function to ask."""
        name = settings.function
        return {"gate_function_arn": (name if name.startswith("arn:") else arn("lambda", f"function:{name}"),)}

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """PASS, WAIT or FAIL as the function says."""
        return judge(self._settings, self.name, rotation, seen, self._ask)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Return a blocker where there is no such function. It is not invoked: that would begin its suite."""
        try:
            self._scope.aws.call("lambda", "get_function_configuration", FunctionName=self._settings.function)
        except NotFound as error:
            hint = f"aws lambda get-function-configuration --function-name {self._settings.function}"
            return [Blocker("function-not-found", f"gate {self.name}", error.message, hint)]
        return []

    def _ask(self, question: Question) -> Answer:
        asked = json.dumps(describe(question, self._scope)).encode()
        try:
            said: dict[str, Any] = self._scope.aws.call(
                "lambda", "invoke", FunctionName=self._settings.function, Payload=asked
            )
            body = said["Payload"].read(saying.LONGEST + 1)
        except Unreachable as error:
            return Answer(Judgement.WAIT, f"no answer: {error.message}", Cause.ENVIRONMENT)
        if said.get("FunctionError"):
            told = in_one_line(body.decode(errors="replace"))
            return Answer(Judgement.FAIL, f"ended with an error ({said['FunctionError']}): {told}", Cause.ENVIRONMENT)
        return saying.read(body)
