"""The keys of `strategy: {kind: canary, routes: [...]}`: which requests ask for the candidate.

Must never take what AWS refuses in a condition: the refusal would come in the middle of a rotation.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from phoenix.core.opt_in import OptIn, OptInKind
from phoenix.keys import Keys, wrong

# Lengths and letters as API_HttpHeaderConditionConfig, API_QueryStringKeyValuePair and the guide's "Condition types for
# listener rules" have them; "Condition values per rule: 5" is a quota.
MOST_VALUES: Final = 5
_LONGEST_HEADER: Final = 40
_LONGEST_VALUE: Final = 128
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")

Values = Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_VALUES)]


class OptInKeys(Keys):
    """Requests that reach the new generation before any weight does. One of header, cookie, query or source."""

    header: str | None = Field(default=None, description="A request header with one of the values; not Host.")
    cookie: str | None = Field(default=None, description="A cookie with one of the values.")
    query: str | None = Field(default=None, description="A key of the query string with one of the values.")
    source: Values | None = Field(default=None, description="CIDR blocks that the client's address is in.")
    values: Values | None = Field(
        default=None,
        description="Values that ask for it; * and ? are wildcards. At most 5 conditions fit into a rule of AWS,"
        " those of the rule behind it included.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        named = [kind for kind in OptInKind if getattr(self, kind.value) is not None]
        if len(named) != 1:
            raise wrong("a route is one of header, cookie, query or source")
        if named[0] is OptInKind.SOURCE:
            self._check_sources()
            return self
        if self.values is None:
            raise wrong(f"{named[0].value} needs values: the ones that ask for the candidate")
        self._check_name(named[0])
        self._check_values(named[0])
        return self

    def to_opt_in(self) -> OptIn:
        """As the core knows it."""
        for kind in (OptInKind.HEADER, OptInKind.COOKIE, OptInKind.QUERY):
            name: str | None = getattr(self, kind.value)
            if name is not None:
                return OptIn(kind, name, self.values or ())
        return OptIn(OptInKind.SOURCE, "", self.source or ())

    def _check_sources(self) -> None:
        if self.values is not None:
            raise wrong("source has its CIDR blocks itself: leave values out", at=("values",))
        for number, block in enumerate(self.source or ()):
            try:
                ip_network(block)
            except ValueError:
                raise wrong(f"{block} is not a CIDR block, such as 10.0.0.0/8", at=("source", number)) from None

    def _check_name(self, kind: OptInKind) -> None:
        name = str(getattr(self, kind.value))
        longest = _LONGEST_HEADER if kind is OptInKind.HEADER else _LONGEST_VALUE
        if kind is OptInKind.HEADER and name.lower() == "host":
            raise wrong("AWS takes no condition on the header Host", at=(kind.value,))
        if kind is OptInKind.HEADER and "*" in name:
            raise wrong("AWS takes no wildcards in a header's name", at=(kind.value,))
        is_word = _PRINTABLE if kind is OptInKind.QUERY else _TOKEN
        if not is_word.fullmatch(name) or len(name) > longest:
            raise wrong(f"not the name of a {kind.value}: up to {longest} letters, digits and signs", at=(kind.value,))

    def _check_values(self, kind: OptInKind) -> None:
        for number, value in enumerate(self.values or ()):
            written = f"*{self.cookie}={value}*" if kind is OptInKind.COOKIE else value
            if not _PRINTABLE.fullmatch(value) or len(written) > _LONGEST_VALUE:
                raise wrong(f"AWS takes up to {_LONGEST_VALUE} printable letters in a value", at=("values", number))
