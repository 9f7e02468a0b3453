"""`doctor`: does phoenix have everything it needs, before the night it is needed?

Must never write: every check is a read. Only `--probe` writes (`phoenix.cli.probe`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from phoenix.cli.help import command
from phoenix.cli.options import common, named_group
from phoenix.cli.session import Session
from phoenix.errors import PhoenixError

if TYPE_CHECKING:
    from phoenix.aws.session import Aws
    from phoenix.views.doctor import Check

TOLERATED_SKEW = timedelta(seconds=30)
"""AWS refuses signatures at five minutes; leases and bakes suffer earlier."""

_READS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "autoscaling:DescribeAutoScalingGroups": ("autoscaling", "describe_auto_scaling_groups", {"MaxRecords": 1}),
    "autoscaling:DescribeScalingActivities": ("autoscaling", "describe_scaling_activities", {"MaxRecords": 1}),
    "elasticloadbalancing:DescribeTargetGroups": ("elbv2", "describe_target_groups", {"PageSize": 1}),
    "ec2:DescribeImages": ("ec2", "describe_images", {"Owners": ["self"], "MaxResults": 5}),
    "ec2:DescribeLaunchTemplateVersions": (
        "ec2",
        "describe_launch_template_versions",
        {"Versions": ["$Latest"], "MaxResults": 1},
    ),
    "cloudwatch:DescribeAlarms": ("cloudwatch", "describe_alarms", {"MaxRecords": 1}),
}
"""For each right that needs no name, the call that tries it; the answers are ignored."""


@command(
    ("phoenix doctor", "before the first night, and after a change of rights"),
)
@named_group
@common
@click.option(
    "--probe",
    metavar="AUTO_SCALING_GROUP",
    help="Also test undocumented behaviour of AWS on this empty group, and put it back; --group: with that policy.",
)
@click.option("--times", type=int, metavar="N", help="How many template versions --probe makes (3).")
@click.pass_obj
def doctor(session: Session, probe: str | None, times: int | None) -> int:
    """Check Python, policies, store, credentials, region, clock and rights. Changes nothing without --probe."""
    from phoenix.cli.probe import checked, probe_group
    from phoenix.views import doctor as view

    asked = checked(session.options.group, probe, times)
    aws = session.wiring.aws()
    checks = [_python(), _tried("policies", lambda: _policies(session)), _tried("store", lambda: _store(session))]
    checks += _identity(aws)
    if all(check.passed for check in checks if check.name == "credentials"):
        wanted = _needed(session)
        services = dict.fromkeys(_READS[action][0] for action in wanted)
        checks += aws.side_by_side([partial(_rights, aws, service, wanted) for service in services])
        checks += _groups(session)
        if asked is not None:
            return probe_group(session, asked, checks)
    session.answer(view.render(checks), view.document(checks))
    return 0 if all(check.passed for check in checks) else 1


def _check(name: str, passed: bool, words: str, hint: str | None = None) -> Check:
    from phoenix.views.doctor import Check

    return Check(name, passed, words, hint)


def _tried(name: str, look: Callable[[], str]) -> Check:
    """Make a check that passes with the words the function returns, and fails with those it raises."""
    try:
        return _check(name, True, look())
    except PhoenixError as error:
        return _check(name, False, error.message, error.hint)


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return _check("python", sys.version_info >= (3, 11), f"{version}; 3.11 or newer is needed")


def _policies(session: Session) -> str:
    from phoenix.core.explain import counted
    from phoenix.errors import InvalidPolicy

    problems = session.wiring.library().all_problems
    if problems:
        raise InvalidPolicy(problems)
    return f"{counted(len(session.wiring.group_names()), 'group')} in {session.wiring.settings.policies}"


def _store(session: Session) -> str:
    """Read the store, and judge whether all who may drive a group share it.

    Raises:
        UsageError: a file of this machine cannot be what a function of the account, or a person elsewhere, keeps to.
    """
    from phoenix.errors import UsageError

    store, settings = session.wiring.store(), session.wiring.settings
    store.load("doctor")  # any name will do: a read creates nothing
    if not store.location.startswith("sqlite:"):
        return f"{store.location} can be read"
    shared = "PHOENIX_STORE=dynamodb://TABLE; docs/operations.md says how to make the table"
    if settings.advance is not None:
        told = f"{store.location} is a file of this machine, which the function {settings.advance} does not see"
        raise UsageError(f"{told}: it would keep records of its own", hint=shared)
    if settings.policies.startswith("s3://"):
        told = f"{store.location} is a file of this machine, but {settings.policies} is for drivers on many"
        raise UsageError(f"{told}: each would keep records of its own", hint=shared)
    return f"{store.location} can be read; only drivers on this machine share it"


def _identity(aws: Aws) -> Sequence[Check]:
    region = _tried("region", lambda: aws.region or "none: set AWS_REGION or --region")
    if aws.region is None:
        return [_check("region", False, "none is configured", "set AWS_REGION or --region")]
    try:
        answer = aws.call("sts", "get_caller_identity")
    except PhoenixError as error:
        return [region, _check("credentials", False, error.message, error.hint)]
    return [region, _check("credentials", True, f"{answer['Arn']} in account {answer['Account']}"), _clock(answer)]


def _clock(answer: dict[str, Any]) -> Check:
    said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    if said is None:
        return _check("clock", True, "not compared: the endpoint's answers have no time")
    skew = abs(datetime.now(UTC) - parsedate_to_datetime(said))
    words = f"{skew.total_seconds():.0f} s apart from AWS, at most {TOLERATED_SKEW.total_seconds():.0f} s are tolerated"
    return _check("clock", skew <= TOLERATED_SKEW, words, None if skew <= TOLERATED_SKEW else "is NTP running here?")


def _needed(session: Session) -> Sequence[str]:
    """Try the rights that these policies need, as far as possible; without policies, all of them."""
    from phoenix.aws.rights import actions_of
    from phoenix.wiring.rights import Where, own_rights

    try:
        library = session.wiring.library()
    except PhoenixError:
        return tuple(_READS)
    needed = actions_of(own_rights(library, Where(session.wiring.settings.policies)))
    return tuple(action for action in _READS if action in needed or not library.groups)


def _rights(aws: Aws, service: str, wanted: Sequence[str]) -> Check:
    asked = [(method, given) for where, method, given in (_READS[action] for action in wanted) if where == service]

    def ask() -> str:
        for method, given in asked:
            aws.call(service, method, **given)
        return f"may {', '.join(method for method, _ in asked).replace('_', ' ')}"

    return _tried(service, ask)


def _groups(session: Session) -> list[Check]:
    """Look at the groups of all policies; without policies there is nothing to look at, which is reported already."""
    from phoenix.cli.doctor_groups import group_checks

    try:
        library = session.wiring.library()
    except PhoenixError:
        return []
    return group_checks(session, library) if library.policies else []
