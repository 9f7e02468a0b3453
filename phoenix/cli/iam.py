"""`iam`: the document with the rights that one's own policies need, ready to be attached.

Must never ask AWS: whoever writes the document may have no rights yet.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click

from phoenix.cli.options import common
from phoenix.cli.session import Session
from phoenix.errors import InvalidPolicy, UsageError

if TYPE_CHECKING:
    from phoenix.policy.loader import Library


@click.command()
@common
@click.option(
    "--role",
    type=click.Choice(["plan", "rotate", "rollback"]),
    default="rotate",
    show_default=True,
    help="plan reads, rotate does everything, rollback only brings back.",
)
@click.option("--acting-as", metavar="ARN", help="The document of a role that policies name in role_arn.")
@click.option("--account", metavar="ID", help="The account, where a policy does not say it.")
@click.option(
    "--instance-role",
    metavar="NAME",
    multiple=True,
    help="A role that the instances have; a pattern, and several, are allowed.",
)
@click.pass_obj
def iam(
    session: Session, role: str, acting_as: str | None, account: str | None, instance_role: tuple[str, ...]
) -> int:  # fmt: skip
    """Print the IAM policy document that exactly these policies need. Asks nobody."""
    from phoenix.aws.rights import Role
    from phoenix.wiring.rights import Where, own_document

    settings, options = session.wiring.settings, session.options
    _check_names(account, options.region, instance_role)
    library = _sound(session)
    _check_role(library, acting_as)
    given = {"account": account, "region": options.region}
    names = {field: (value,) for field, value in given.items() if value}
    where = Where(settings.policies, settings.store, settings.advance, acting_as, names | _roles(instance_role))
    found = own_document(library, where, Role(role))
    session.answer(json.dumps(found, indent=2) + "\n", found)
    _say_what_is_left(session, library, found, acting_as)
    return 0


def _check_names(account: str | None, region: str | None, instance_role: tuple[str, ...]) -> None:
    """What goes into ARNs as it is: nobody would notice a slip before AWS refuses a rotation, or allows everything."""
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
    """The policies; one that cannot be read has needs that nobody knows."""
    library = session.wiring.library()
    if library.all_problems:
        raise InvalidPolicy(library.all_problems)
    if not library.policies:
        raise UsageError(f"there are no policies in {library.location}", hint="--policies says where they are")
    return library


def _check_role(library: Library, acting_as: str | None) -> None:
    known = {found.policy.role_arn for found in library.policies.values()} - {None}
    if acting_as is not None and acting_as not in known:
        named = ", ".join(sorted(str(arn) for arn in known)) or "none does"
        raise UsageError(f"no policy names {acting_as} in role_arn", hint=f"policies name: {named}")


def _roles(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {"instance_role": names} if names else {}


def _say_what_is_left(session: Session, library: Library, found: dict[str, Any], acting_as: str | None) -> None:
    """On standard error, so that standard output stays a document."""
    from phoenix.aws.iam import MOST_LETTERS, letters, unfilled

    left = ", ".join(f"${{{field}}}" for field in unfilled(found))
    if left:
        session.note(f"to be filled in: {left}")
    others = {found.policy.role_arn for found in library.policies.values()} - {None, acting_as}
    for other in sorted(str(arn) for arn in others) if acting_as is None else ():
        session.note(f"its own document: phoenix iam --acting-as {other}")
    if letters(found) > MOST_LETTERS:
        session.note(f"{letters(found)} letters: more than the {MOST_LETTERS} that a role's inline policies may have")
