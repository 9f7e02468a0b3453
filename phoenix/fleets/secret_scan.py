"""Find lines that look as if they held a secret, by detect-secrets' rules. No value leaves this module.

Must never ask the internet whether a secret works, which detect-secrets does unless its rules are called one by one,
and must never log what it looks at.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

INSTALL: Final = "pip install 'phoenix-rotate[secrets]'"

_LONGEST_LINE: Final = 4096
_MOST_FOUND: Final = 50
_NOT_SECRET: Final = frozenset({"Base64 High Entropy String", "Hex High Entropy String", "Public IP (ipv4)"})
"""Rules about random letters and addresses: user data is full of checksums, digests and certificates."""
_KEYWORD: Final = "Secret Keyword"
_READ_AT_BOOT: Final = re.compile(r"""^['"]?(\$|`|<|arn:|ssm:|resolve:|\{\{)""")
"""Where a value is a command, a variable or the name of a parameter, it is read when the instance boots."""


_NAMES_IT = re.compile(r"""(name|arn|path|file|_id)['"]?\s*[:=]\s*['"]?$""", re.IGNORECASE)
"""The end of a line before the name of a secret, which is not the secret: `secret_name=`."""


class ScannerMissing(Exception):
    """detect-secrets is not installed."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A line that looks as if it held a secret, and the kind of secret. Never the secret."""

    line: int
    kind: str


def scan(text: str) -> tuple[Finding, ...]:
    """The suspicious lines of a text, counted from 1, each with every kind that it looks like.

    Raises:
        ScannerMissing: detect-secrets is not installed.
    """
    rules = _rules()
    found: set[Finding] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        shown = line[:_LONGEST_LINE]
        found |= {Finding(number, rule.kind) for rule in rules if rule.finds(shown)}
        if len(found) >= _MOST_FOUND:
            break
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    values_in: Callable[[str], Iterator[str]]
    is_guess: bool
    """True for a rule that goes by the name in front of a value, so that the value itself has to be looked at."""

    def finds(self, line: str) -> bool:
        values = self.values_in(line)
        return any(not (self.is_guess and _is_harmless(value, line)) for value in values if value)


@cache
def _rules() -> tuple[_Rule, ...]:
    try:
        from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
        from detect_secrets.plugins.keyword import CONFIG_DENYLIST_REGEX_TO_GROUP
    except ImportError as error:
        raise ScannerMissing from error
    _take_back_log("detect-secrets")
    known: dict[str, Any] = dict(get_mapping_from_secret_type_to_class())
    made = {kind: plugin() for kind, plugin in known.items()}
    sure = set(made) - {_KEYWORD, *_NOT_SECRET}
    rules = [_Rule(kind, made[kind].analyze_string, False) for kind in sorted(sure)]
    keyword = made[_KEYWORD]
    # Shell scripts and cloud-config set values without quotes, as configuration files do.
    of_files = _Rule(
        _KEYWORD,
        lambda line: keyword.analyze_string(line, denylist_regex_to_group=CONFIG_DENYLIST_REGEX_TO_GROUP),
        True,
    )
    return (*rules, of_files)


def _take_back_log(name: str) -> None:
    """The library writes to standard error by itself, and takes over Python's warnings; here, our own logs decide."""
    logging.captureWarnings(False)
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


def _is_harmless(value: str, line: str) -> bool:
    """Placeholders, references and counters, as detect-secrets itself leaves them out; and values read at boot."""
    from detect_secrets.filters import heuristic

    by_value = (
        heuristic.is_sequential_string,
        heuristic.is_templated_secret,
        heuristic.is_prefixed_with_dollar_sign,
        heuristic.is_not_alphanumeric_string,
    )
    return (
        _READ_AT_BOOT.match(value.strip()) is not None
        or _NAMES_IT.search(line[: line.find(value)]) is not None
        or any(filter_(value) for filter_ in by_value)
        or bool(heuristic.is_indirect_reference(line))
    )
