"""Ask AWS, on an empty Auto Scaling group, what its documents do not say, and leave everything as it was.

Must never write to anything but the group of its target and that group's launch template. Notes what a request may
have changed before it is sent: whatever happens then, that is what is put back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from phoenix.aws.errors import is_about_template, words_of
from phoenix.aws.groups import read_groups
from phoenix.aws.rights import GROUPS, IS_MANAGED, ROTATE, TEMPLATES, Right, reads
from phoenix.aws.session import Aws
from phoenix.aws.templates import template_of
from phoenix.errors import AccessDenied, NotFound, PhoenixError, TransientError
from phoenix.fleets import group_launch_rights
from phoenix.fleets.group_template import SETTLING
from phoenix.fleets.probe_target import LATEST, PROBE, Target, why_not_empty
from phoenix.fleets.probed import Answer, Left, MadeVersion, Outcome, Probed
from phoenix.ports import Clock

IAM_ACTIONS: Final = (
    reads("autoscaling:DescribeAutoScalingGroups", "ec2:DescribeLaunchTemplateVersions", roles=ROTATE)
    | {
        Right("autoscaling:UpdateAutoScalingGroup", "ChangeGroups", ROTATE, GROUPS, (IS_MANAGED,)),
        Right("ec2:CreateLaunchTemplateVersion", "MakeTemplateVersion", ROTATE, TEMPLATES, (IS_MANAGED,)),
        Right("ec2:DeleteLaunchTemplateVersions", "DeleteTemplateVersions", ROTATE, TEMPLATES, (IS_MANAGED,)),
    }
    | group_launch_rights.IAM_ACTIONS
)

MOST_TIMES: Final = 100
_EVERY: Final = 1.0
"""Seconds between two questions whether a version is accepted by now."""
_TRIES: Final = 5
"""The number of tries to put something back before a person has to; botocore repeats each of them, too."""
_PAUSE: Final = 2.0
_GONE: Final = frozenset({"launchTemplateVersionDoesNotExist", "launchTemplateIdDoesNotExist"})
"""Codes of a second request to delete a version that the first has deleted (botocore, ResponseError.Code)."""


@dataclass(slots=True)
class Probe:
    """One probe of one group. `times` is how many versions are made; `token` tells its versions from other probes'."""

    aws: Aws
    clock: Clock
    target: Target
    times: int
    token: str
    probed: Probed = field(init=False)
    _may_have: set[str] = field(init=False)
    """Versions that the group may launch from now, as far as our requests can have changed it."""
    _made: list[int] = field(default_factory=list)
    _unanswered: list[dict[str, Any]] = field(default_factory=list)
    """Requests for versions whose answers have not come."""

    def __post_init__(self) -> None:
        self.probed, self._may_have = Probed(self.target), {self.target.version}

    def run(self) -> Probed:
        """Ask everything, then put everything back; a signal ends the questions, never the putting back."""
        try:
            self._ask()
        except KeyboardInterrupt:
            self._note(interrupted=True)
        except PhoenixError as error:
            self._note(stopped=error.message)
        finally:
            self._put_back_whatever_comes()
        return self.probed

    def _note(self, **found: Any) -> None:
        self.probed = replace(self.probed, **found)

    # --- questions ----------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        group = self.target.group
        self._note(plain=self._update(MinSize=group["MinSize"], MaxSize=group["MaxSize"]))
        own, _, _ = self._give_when_known(self.target.version)
        self._note(own=own)
        if not own.allowed:  # then nothing could be put back
            return
        self._note(latest=self._give(LATEST))
        if self._restore() is not None:
            return
        for count in range(1, self.times + 1):
            if self._is_over() or not self._try_version(count):
                return

    def _is_over(self) -> bool:
        """True if a person asked to stop, or the group is no longer what was found."""
        if self.clock.stopping:
            self._note(interrupted=True)
            return True
        found = read_groups(self.aws, (self.target.name,)).get(self.target.name)
        reason = "it is gone" if found is None else why_not_empty(found)
        if reason is not None:
            self._note(stopped=f"{self.target.name} was changed meanwhile: {reason}")
        return reason is not None

    def _try_version(self, count: int) -> bool:
        """Make a version and give it to the group at once."""
        number = self._make(count)
        if number is None:
            return False
        answer, waited, refusals = self._give_when_known(str(number))
        made = MadeVersion(number, answer, waited if answer.allowed else None, refusals)
        self._note(versions=(*self.probed.versions, made))
        return answer.allowed

    def _give_when_known(self, version: str) -> tuple[Answer, timedelta, tuple[str, ...]]:
        """Give the group a version again and again until it is accepted, for as long as a rotation does."""
        began = self.clock.elapsed()
        refusals: list[str] = []
        while True:
            answer = self._give(version)
            waited = timedelta(seconds=self.clock.elapsed() - began)
            if not answer.allowed:
                refusals.append(answer.words)
            passing = answer.outcome in (Outcome.NOT_YET, Outcome.UNANSWERED)
            if not passing or waited >= SETTLING or self.clock.stopping:
                return answer, waited, tuple(refusals)
            self.clock.sleep(_EVERY)

    def _make(self, count: int) -> int | None:
        request = {
            "LaunchTemplateId": self.target.template,
            "SourceVersion": self.target.version,
            "VersionDescription": f"{PROBE}{self.token}-{count} of version {self.target.version}",
            "LaunchTemplateData": {"ImageId": self.target.source.content["ImageId"]},
            "ClientToken": f"phoenix-probe-{self.token}-{count}",
        }
        self._unanswered.append(request)
        try:
            return self._send(request)
        except PhoenixError as error:
            self._note(making=_answer(error))
            return None

    def _send(self, request: dict[str, Any]) -> int:
        """The number of the version, whether this request or an earlier one with the same token has made it."""
        try:
            answer = self.aws.call("ec2", "create_launch_template_version", **request)
        except PhoenixError as error:
            if not isinstance(error, TransientError):
                self._unanswered.remove(request)
            raise
        number = int(answer["LaunchTemplateVersion"]["VersionNumber"])
        self._made.append(number)
        self._unanswered.remove(request)
        return number

    # --- changes of the group -----------------------------------------------------------------------------------------

    def _give(self, version: str) -> Answer:
        """Give the group a version. What it may have then is noted before and after."""
        before = set(self._may_have)
        self._may_have.add(version)
        answer = self._update(**self.target.with_version(version))
        if answer.allowed:
            self._may_have = {version}
        elif answer.outcome is not Outcome.UNANSWERED:
            self._may_have = before
        return answer

    def _update(self, **changes: Any) -> Answer:
        try:
            self.aws.call("autoscaling", "update_auto_scaling_group", AutoScalingGroupName=self.target.name, **changes)
        except PhoenixError as error:
            return _answer(error)
        return Answer(Outcome.ALLOWED)

    # --- putting back -------------------------------------------------------------------------------------------------

    def _put_back_whatever_comes(self) -> None:
        """Another Ctrl-C begins it anew: all of it may be done twice."""
        while True:
            try:
                self._put_back()
            except KeyboardInterrupt:
                self._note(interrupted=True)
            else:
                return

    def _put_back(self) -> None:
        why_not = self._restore()
        self._note(restored=why_not is None)
        left = [] if why_not is None else [Left(why_not, self.target.command(self.target.version))]
        left += self._settle_unanswered()
        left += self._delete() if why_not is None else self._left_versions(self._made, "the group may launch from it")
        self._note(left=tuple(left))

    def _restore(self) -> str | None:
        """Give the group its own version again, unless another writer has given it another one; None where it has it,
        else why not."""
        name, version, words = self.target.name, self.target.version, ""
        for attempt in range(_TRIES):
            if self._may_have == {version}:
                return None
            if self._was_changed():
                return f"{name} was given something else to launch from meanwhile, and was left so"
            if attempt:
                self.clock.sleep(_PAUSE * attempt)
            words = self._give(version).words
        return None if self._may_have == {version} else f"{name} was not given version {version} again: {words}"

    def _was_changed(self) -> bool:
        try:
            found = read_groups(self.aws, (self.target.name,)).get(self.target.name)
        except PhoenixError:  # not knowing is no reason to leave the group as we have made it
            return False
        use = template_of(found) if found is not None else None
        return use is None or use.id != self.target.template or use.version not in self._may_have

    def _settle_unanswered(self) -> Iterator[Left]:
        """The same token once more tells the number of what an unanswered request has made."""
        for request in list(self._unanswered):
            try:
                self._send(request)
            except PhoenixError:
                text = f"there may be a version described {request['VersionDescription']!r}"
                if request in self._unanswered:
                    yield Left(text, _look(self.target.template))

    def _delete(self) -> list[Left]:
        """Delete what was made; a version that is gone already was deleted by a request whose answer was lost."""
        words = ""
        for attempt in range(_TRIES):
            if not self._made:
                return []
            if attempt:
                self.clock.sleep(_PAUSE * attempt)
            try:
                words = self._send_delete()
            except TransientError as error:
                words = words_of(error)
            except PhoenixError as error:
                return self._left_versions(self._made, words_of(error))
        return self._left_versions(self._made, words)

    def _send_delete(self) -> str:
        """Delete the versions; return AWS's words about those that it did not delete."""
        numbers = [str(number) for number in self._made]
        answer = self.aws.call(
            "ec2", "delete_launch_template_versions", LaunchTemplateId=self.target.template, Versions=numbers
        )
        gone = {int(each["VersionNumber"]) for each in answer.get("SuccessfullyDeletedLaunchTemplateVersions", ())}
        words = ""
        for each in answer.get("UnsuccessfullyDeletedLaunchTemplateVersions", ()):
            refusal = each.get("ResponseError", {})
            if refusal.get("Code") in _GONE:
                gone.add(int(each["VersionNumber"]))
            words = str(refusal.get("Message", refusal.get("Code", "")))
        self._note(deleted=tuple(sorted({*self.probed.deleted, *gone})))
        self._made = [number for number in self._made if number not in gone]
        return words

    def _left_versions(self, numbers: list[int], why: str) -> list[Left]:
        if not numbers:
            return []
        named = " ".join(str(number) for number in sorted(numbers))
        command = f"aws ec2 delete-launch-template-versions --launch-template-id {self.target.template}"
        text = f"launch template {self.target.template} has version {named.replace(' ', ', ')} of this probe: {why}"
        return [Left(text, f"{command} --versions {named}")]


def _answer(error: PhoenixError) -> Answer:
    match error:
        case AccessDenied():
            outcome = Outcome.DENIED
        case NotFound():
            outcome = Outcome.NOT_YET
        case TransientError():
            outcome = Outcome.UNANSWERED
        case _:
            outcome = Outcome.NOT_YET if is_about_template(error) else Outcome.REFUSED
    return Answer(outcome, words_of(error))


def _look(template: str) -> str:
    return f"aws ec2 describe-launch-template-versions --launch-template-id {template}"
