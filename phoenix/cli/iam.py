"""`iam`: the document with the rights that the user's policies need, ready to attach.

Must never ask AWS: the author of the document may have no rights yet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from phoenix.cli.help import command
from phoenix.cli.options import common
from phoenix.cli.session import Session
from phoenix.errors import InvalidPolicy, UsageError

if TYPE_CHECKING:
    from phoenix.policy.loader import Library


@command(
    ("phoenix iam --account 123456789012", "one document"),
    ("phoenix iam --managed iam/", "as managed policies, within IAM's limits"),
)
@common
@click.option(
    "--role",
    type=click.Choice(["plan", "rotate", "rollback"]),
    default="rotate",
    show_default=True,
    help="plan reads, rotate does everything, rollback only brings back.",
)
@click.option("--acting-as", metavar="ARN", help="The document of a role that policies name in role_arn.")
@click.option("--account", metavar="ID", help="The account, if a policy does not name it.")
@click.option(
    "--instance-role",
    metavar="NAME",
    multiple=True,
    help="A role that the instances have; a pattern, and several, are allowed.",
)
@click.option(
    "--key-arn",
    metavar="ARN",
    multiple=True,
    help="A KMS key of your own that table, bucket or topics are encrypted with; several are allowed.",
)
@click.option(
    "--managed",
    metavar="DIR",
    help="Write the document to this directory, as one or more managed policies.",
)
@click.option(
    "--probe",
    metavar="AUTO_SCALING_GROUP",
    help="Also the rights of `phoenix doctor --probe` on that group; with --role rotate.",
)
@click.option(
    "--never-follow",
    is_flag=True,
    help="Print the document that keeps groups from following $Latest instead. Try it first: docs/first-hour.md.",
)
@click.option(
    "--crash", is_flag=True, help="Print the document with the one right that `phoenix drill --hard` needs besides."
)
@click.pass_obj
def iam(
    session: Session,
    role: str,
    acting_as: str | None,
    account: str | None,
    instance_role: tuple[str, ...],
    key_arn: tuple[str, ...],
    managed: str | None,
    probe: str | None,
    never_follow: bool,
    crash: bool,
) -> int:
    """Print the IAM policy document that exactly these policies need. Asks AWS nothing."""
    from phoenix.aws import iam as documents
    from phoenix.aws.rights import Role
    from phoenix.wiring.rights import Where, crash_document, own_document

    if never_follow or crash:
        found = documents.never_follow() if never_follow else crash_document()
        session.answer(json.dumps(found, indent=2) + "\n", found)
        return 0
    settings = session.wiring.settings
    given = {"account": (account,), "region": (session.options.region,), "instance_role": instance_role}
    names = _checked({**given, "key_arn": key_arn})
    library = _sound(session)
    _check_role(library, acting_as)
    where = Where(settings.policies, settings.store, settings.advance, acting_as, names, _checked_probe(probe, role))
    found = own_document(library, where, Role(role))
    if managed is not None:
        return _write_managed(session, Path(managed), role, found)
    session.answer(json.dumps(found, indent=2) + "\n", found)
    _say_what_is_left(session, library, found, acting_as)
    return 0


def _checked(given: Mapping[str, tuple[str | None, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the fields of a document that the options fill in."""
    named = {field: tuple(value for value in values if value) for field, values in given.items()}
    _check_names(given["account"][0], given["region"][0], named["instance_role"])
    for key in named["key_arn"]:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
        if not re.fullmatch(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+", key):
            raise UsageError(
                f"--key-arn {key!r} is not the ARN of a key", hint="aws kms describe-key --key-id alias/NAME prints it"
            )
    return {field: values for field, values in named.items() if values}


def _checked_probe(probe: str | None, role: str) -> str | None:
    if probe is not None and role != "rotate":
        raise UsageError(f"--probe is for --role rotate: {role} may not try what a rotation does")
    # A pattern is not a name: in an ARN "*" would allow every group.
    if probe is not None and re.search(r"[*?$:]", probe):
        raise UsageError(f"--probe {probe!r} is no name of an Auto Scaling group", hint="name one, without patterns")
    return probe


def _write_managed(session: Session, folder: Path, role: str, found: dict[str, Any]) -> int:
    """Write one file per managed policy. Files of an earlier, longer answer are removed: they would grant more."""
    from phoenix.aws.iam import MOST_MANAGED, split

    parts = split(found)
    names = [f"phoenix-{role}-{number}.json" for number in range(1, len(parts) + 1)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in set(folder.glob(f"phoenix-{role}-*.json")) - {folder / name for name in names}:
            old.unlink()
        for name, part in zip(names, parts, strict=True):
            (folder / name).write_text(json.dumps(part, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}", hint="--managed names a directory") from error
    written = [str(folder / name) for name in names]
    session.answer("".join(f"{name}\n" for name in written), {"written": written})
    if len(parts) > MOST_MANAGED:
        session.note(f"{len(parts)} managed policies; a role may have {MOST_MANAGED}, and 20 once AWS has raised that")
    return 0


def _check_names(account: str | None, region: str | None, instance_role: tuple[str, ...]) -> None:
    """Check values that go into ARNs: a slip would show only when AWS refuses a rotation, or allows everything."""
    if account is not None and not re.fullmatch(r"[0-9]{12}", account):
        raise UsageError(f"--account {account!r} is not an account", hint="an account has twelve digits")
    if region is not None and not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]+", region):
        raise UsageError(f"--region {region!r} is not a Region", hint="write it like eu-west-1")
    for name in instance_role:
        # https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html, and * and ? for patterns
        if not re.fullmatch(r"[\w+=,.@*?/-]{1,128}", name, re.ASCII) or not re.search(r"[^*?/]", name):
            raise UsageError(
                f"--instance-role {name!r} is no name of a role", hint="name it, or a pattern such as web-*"
            )


def _sound(session: Session) -> Library:
    """Load the policies; refuse an unreadable one, because its needs are unknown."""
    library = session.wiring.library()
    if library.all_problems:
        raise InvalidPolicy(library.all_problems)
    if not library.policies:
        raise UsageError(f"there are no policies in {library.location}", hint="name their place with --policies")
    return library


def _check_role(library: Library, acting_as: str | None) -> None:
    known = {found.policy.role_arn for found in library.policies.values()} - {None}
    if acting_as is not None and acting_as not in known:
        named = ", ".join(sorted(str(arn) for arn in known)) or "none does"
        raise UsageError(f"no policy names {acting_as} in role_arn", hint=f"policies name: {named}")


def _say_what_is_left(session: Session, library: Library, found: dict[str, Any], acting_as: str | None) -> None:
    """Print notes on standard error, so that standard output stays a document."""
    from phoenix.aws.iam import MOST_LETTERS, letters, unfilled

    left = ", ".join(f"${{{field}}}" for field in unfilled(found))
    if left:
        session.note(f"to be filled in: {left}")
    others = {found.policy.role_arn for found in library.policies.values()} - {None, acting_as}
    for other in sorted(str(arn) for arn in others) if acting_as is None else ():
        session.note(f"its own document: phoenix iam --acting-as {other}")
    if letters(found) > MOST_LETTERS:
        session.note(
            f"{letters(found)} letters: more than the {MOST_LETTERS} that a role's inline policies may have."
            " --managed DIR writes it as managed policies; infra/iam has shorter documents, for all groups."
        )
