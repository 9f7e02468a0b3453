"""The findings of a probe: the doctor's lines for them, and the document.

Must never call a thing shown if AWS was not asked, nor take one answer for two questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.fleets.group_template import SETTLING
from phoenix.fleets.probed import Answer, MadeVersion, Outcome, Probed
from phoenix.views.doctor import Check

GUARD = "never-follow.json"
_PATIENCE = f"{SETTLING.total_seconds():.0f} s"
_NOT_ASKED = (
    "minimum and desired capacity were not raised, as that launches instances; so standby, health checks and load"
    " balancers were not tried either"
)


def checks(probed: Probed, trial: Sequence[Blocker] | None) -> list[Check]:
    """Return a line for each question, then the settings put back, then the questions left out. `trial` None: no launch
    was tried."""
    found = [*_plain(probed), *_own(probed), *_guard(probed), *_versions(probed)]
    found += _trial(trial)
    if probed.stopped is not None:
        found.append(Check("stopped", False, probed.stopped, f"phoenix doctor --probe {probed.target.name}"))
    if probed.interrupted:
        found.append(Check("stopped", False, "interrupted", f"phoenix doctor --probe {probed.target.name}"))
    return [*found, *_put_back(probed), Check("not asked", True, _NOT_ASKED, "docs/first-hour.md", warning=True)]


def document(probed: Probed, trial: Sequence[Blocker] | None) -> dict[str, Any]:
    """Return the same for a script, with AWS's words unchanged."""
    return {
        "auto_scaling_group": probed.target.name,
        "launch_template": probed.target.template,
        "launch_template_version": probed.target.version,
        "plain_update": _answer(probed.plain),
        "own_version": _answer(probed.own),
        "latest_version": _answer(probed.latest),
        "make_version": _answer(probed.making),
        "versions": [_version(version) for version in probed.versions],
        "trial_launch": None if trial is None else [{"name": each.name, "text": each.text} for each in trial],
        "stopped": "interrupted" if probed.interrupted else probed.stopped,
        "restored": probed.restored,
        "deleted_versions": list(probed.deleted),
        "left": [{"text": left.text, "command": left.command} for left in probed.left],
    }


def _answer(answer: Answer | None) -> dict[str, str] | None:
    return None if answer is None else {"outcome": answer.outcome.value, "words": answer.words}


def _version(version: MadeVersion) -> dict[str, Any]:
    after = version.accepted_after
    return {
        "number": version.number,
        "outcome": version.last.outcome.value,
        "accepted_after_seconds": None if after is None else after.total_seconds(),
        "refusals": list(version.refusals),
    }


def _plain(probed: Probed) -> Iterator[Check]:
    plain, own = probed.plain, probed.own
    if plain is None:
        return
    if plain.allowed:
        yield Check("plain update", True, "a change of capacity alone is allowed")
    elif plain.outcome is Outcome.DENIED and own is not None and own.allowed:
        words = f"AWS refuses a change of capacity alone, and allows one that names a template version: {GUARD}, or a"
        words += f" statement like it, would stop each rotation half-way. AWS says: {plain.words}"
        yield Check("plain update", False, words, f"attach no {GUARD}: never_follow = false in Terraform")
    else:
        yield _failed("plain update", "a change of capacity alone", plain, probed)


def _own(probed: Probed) -> Iterator[Check]:
    if probed.own is not None and not probed.own.allowed:
        yield _failed("own version", "to give the group the version that it has", probed.own, probed)


def _guard(probed: Probed) -> Iterator[Check]:
    latest, plain = probed.latest, probed.plain
    if latest is None:
        return
    if latest.outcome is Outcome.DENIED and plain is not None and plain.allowed:
        words = f"$Latest is denied and a change of capacity is not: {GUARD} is attached to these rights, and may stay"
        yield Check("never follow", True, words)
    elif latest.allowed:
        words = f"these rights let a group follow $Latest: {GUARD} is not attached to them, so this probe cannot tell"
        words += " whether it may be"
        hint = f"attach what phoenix iam --never-follow prints, then phoenix doctor --probe {probed.target.name}"
        yield Check("never follow", True, words, hint, warning=True)
    elif latest.outcome is not Outcome.DENIED:
        words = f"not known: AWS did not answer for rights. It says: {latest.words}"
        yield Check("never follow", True, words, f"phoenix doctor --probe {probed.target.name}", warning=True)


def _versions(probed: Probed) -> Iterator[Check]:
    accepted = [version for version in probed.versions if version.accepted_after is not None]
    if accepted:
        yield Check("new version", True, _accepted(accepted))
    for version in probed.versions:
        if version.accepted_after is None and not probed.interrupted:
            yield _unaccepted(version, probed)
    if probed.making is not None:
        yield _failed("new version", "to make a template version", probed.making, probed)


def _accepted(versions: Sequence[MadeVersion]) -> str:
    times = ", ".join(f"{v.accepted_after.total_seconds():.0f} s" for v in versions if v.accepted_after is not None)
    words = f"{counted(len(versions), 'version')} accepted, after {times}; phoenix waits for {_PATIENCE}"
    refusals = [refusal for version in versions for refusal in version.refusals]
    if not refusals:
        return f"{words}. None was refused"
    said = "; ".join(f'"{each}"' for each in dict.fromkeys(refusals))
    return f"{words}. {counted(len(refusals), 'refusal')} before: {said}"


def _unaccepted(version: MadeVersion, probed: Probed) -> Check:
    if version.last.outcome in (Outcome.NOT_YET, Outcome.UNANSWERED):
        words = f"version {version.number} was not accepted within {_PATIENCE}, for which phoenix waits. AWS says:"
        return Check("new version", False, f"{words} {version.last.words}", "report these words and times")
    if version.last.outcome is Outcome.DENIED:
        return _failed("new version", "to give the group a new version", version.last, probed)
    words = f"version {version.number} was refused in words that phoenix would hold a rotation for. AWS says:"
    return Check("new version", False, f"{words} {version.last.words}", "report these words")


def _failed(name: str, what: str, answer: Answer, probed: Probed) -> Check:
    if answer.outcome is Outcome.DENIED:
        words = f"these rights do not allow {what}. AWS says: {answer.words}"
        hint = (
            f"phoenix iam --probe {probed.target.name} prints the rights; group and template need phoenix:managed=true"
        )
        return Check(name, False, words, hint)
    return Check(name, False, f"AWS did not do it: {answer.words}", f"phoenix doctor --probe {probed.target.name}")


def _trial(trial: Sequence[Blocker] | None) -> Iterator[Check]:
    if trial is None:
        words = "not tried: no image was chosen; --group names the policy that chooses one"
        yield Check(
            "trial launch", True, words, "phoenix doctor --probe AUTO_SCALING_GROUP --group GROUP", warning=True
        )
    elif not trial:
        yield Check("trial launch", True, "the chosen image could be launched from this template with these rights")
    for each in trial or ():
        yield Check("trial launch", each.warning, each.text, each.remedy, warning=each.warning)


def _put_back(probed: Probed) -> Iterator[Check]:
    target = probed.target
    if probed.restored:
        words = f"{target.name} launches from version {target.version}, as before"
        gone = ", ".join(str(number) for number in probed.deleted)
        yield Check("put back", True, words + (f"; deleted: {gone}" if gone else ""))
    for left in probed.left:
        yield Check("put back", probed.restored, left.text, left.command, warning=probed.restored)
