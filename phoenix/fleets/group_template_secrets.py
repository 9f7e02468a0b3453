"""Warnings about what the next generation would carry and should not: secrets in user data and in tags, and the name of
an environment in the image. Pure, but for the scanner.

Must never show a value, nor let one be logged: the number of its line and the kind of secret is all that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from phoenix.aws.templates import TemplateVersion
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.image import Image
from phoenix.fleets import secret_scan
from phoenix.fleets.boot_script import Part, parts_of

CHECKS: Final = ("secret-in-user-data", "secret-in-tags", "secrets-not-looked-for", "environment-in-image")

_MOST_TOLD: Final = 5
_ENVIRONMENTS: Final = frozenset(
    [
        "prod",
        "production",
        "preprod",
        "preproduction",
        "staging",
        "stage",
        "stg",
        "dev",
        "devel",
        "development",
        "qa",
        "uat",
    ]
)
_OF_TAGS: Final = frozenset({"environment", "env", "stage"})
_FREE_TEXT: Final = re.compile(r"(built|how_to|parent|base)_.*|repository|owner|project|ancestors|aws:.*|phoenix:.*")
"""Tags with sentences and addresses, in which the name of an environment says nothing of the image."""


def find_secrets(source: TemplateVersion, image: Image) -> Iterator[Blocker]:
    """Look at the user data of the owner's version, and at the tags of the next image."""
    encoded = str(source.content.get("UserData") or "")
    if not encoded and not image.tags:
        return
    try:
        yield from _in_boot_script(source, parts_of(encoded))
        yield from _in_tags(image)
    except secret_scan.ScannerMissing:
        yield Blocker(
            "secrets-not-looked-for",
            f"launch template {source.template}",
            "nothing has looked for secrets in user data or in the image's tags: the scanner is not installed.",
            secret_scan.INSTALL,
            warning=True,
        )


def find_environment(image: Image) -> Iterator[Blocker]:
    """An image that is named for an environment is baked once for each, and what is tried is not what serves."""
    where = [f"its name {image.name}"] if _named_in(image.name) else []
    where += [f"its tag {key}={value}" for key, value in sorted(image.tags.items()) if _is_of_environment(key, value)]
    if not where:
        return
    text = (
        f"{' and '.join(where[:_MOST_TOLD])} {'name' if len(where) > 1 else 'names'} an environment. One image should"
        " pass through all of them: if each has its own, what was tried is not what serves. Leave the environment to"
        " user data, or to parameters that are read at boot."
    )
    yield Blocker("environment-in-image", image.id, text, f"phoenix images show {image.id}", warning=True)


def _in_boot_script(source: TemplateVersion, parts: Sequence[Part]) -> Iterator[Blocker]:
    told = [_place(part, found) for part in parts for found in secret_scan.scan(part.text)]
    partly = "" if all(part.is_whole for part in parts) else " Not all of it could be read."
    if told or partly:
        looks = (
            f"looks as if it held {counted(len(told), 'secret')}: {_few(told)}" if told else "is damaged or too long"
        )
        yield Blocker(
            "secret-in-user-data",
            f"launch template {source.template} version {source.number}",
            f"its user data {looks}.{partly} Everybody who may describe the template, and every program on an instance,"
            " can read it. Keep secrets in Secrets Manager or Parameter Store, and read them at boot with the"
            " instance's role. The user data, with its values, in base64:",
            f"aws ec2 describe-launch-template-versions --launch-template-id {source.template} \\\n"
            f"    --versions {source.number} --output text \\\n"
            "    --query 'LaunchTemplateVersions[0].LaunchTemplateData.UserData'",
            warning=True,
        )


def _in_tags(image: Image) -> Iterator[Blocker]:
    kinds = {key: _kinds_in(key, value) for key, value in sorted(image.tags.items())}
    told = [f"tag {key} ({', '.join(found)})" for key, found in kinds.items() if found]
    if told:
        yield Blocker(
            "secret-in-tags",
            image.id,
            f"{_few(told)} looks as if it held a secret. Everybody who may describe images reads tags, and so does"
            " AWS's billing. Change the secret, then remove the tag:",
            f"aws ec2 delete-tags --resources {image.id} --tags "
            + " ".join(f"Key={key}" for key, found in kinds.items() if found),
            warning=True,
        )


def _kinds_in(key: str, value: str) -> list[str]:
    # The key goes along: `db_password` says what its value is.
    return sorted({found.kind for found in secret_scan.scan(f"{key}: {value}".replace("\n", " "))})


def _place(part: Part, found: secret_scan.Finding) -> str:
    of_part = "" if part.number is None else f" of part {part.number}"
    return f"line {found.line}{of_part} ({found.kind})"


def _few(told: Sequence[str]) -> str:
    more = len(told) - _MOST_TOLD
    return ", ".join(told[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def _is_of_environment(key: str, value: str) -> bool:
    if key.lower() in _OF_TAGS:
        return bool(value.strip())
    return _FREE_TEXT.fullmatch(key.lower()) is None and _named_in(value)


def _named_in(text: str) -> bool:
    return not _ENVIRONMENTS.isdisjoint(re.split(r"[^a-z0-9]+", text.lower()))
