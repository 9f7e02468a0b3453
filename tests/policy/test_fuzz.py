"""Whatever a file says: a policy, or problems with a place. Never anything else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from phoenix.policy.loader import Library, load
from phoenix.policy.schema import policy_schema

EXAMPLE = Path("policies/web.yaml").read_bytes()
KEYS = sorted({key for definition in policy_schema()["$defs"].values() for key in definition.get("properties", {})})
WORDS = st.sampled_from([*KEYS, *policy_schema()["properties"], "none", "self", "canary", "rolling", "10m", "5%", "*"])
SCALARS = st.one_of(WORDS, st.integers(), st.booleans(), st.none(), st.floats(), st.dates(), st.text(max_size=8))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=6)),
    max_leaves=30,
)
PLACED = re.compile(r"any\.yaml:[1-9]\d*:[1-9]\d*: \S.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OneFile:
    """A source with a single file in it."""

    content: bytes
    location: str = ""

    def names(self) -> Sequence[str]:
        return ["any.yaml"]

    def stamp(self, name: str) -> str:
        return ""

    def fetch(self, names: Sequence[str]) -> None:
        pass

    def read(self, name: str) -> bytes:
        return self.content


def check(content: bytes) -> Library:
    """Load the content; it must be a policy, or have problems that all have a place."""
    library = load(OneFile(content))

    assert bool(library.policies) != bool(library.problems)
    assert all(PLACED.fullmatch(problem) for problem in library.all_problems)
    return library


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_have_problems(content: bytes) -> None:
    check(content)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_has_problems(text: str) -> None:
    check(text.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(st.dictionaries(WORDS, TREES, max_size=10))
def test_any_tree_of_known_words_is_a_policy_or_has_problems(tree: object) -> None:
    check(yaml.safe_dump(tree, allow_unicode=True).encode())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(EXAMPLE) - 1), st.integers(0, 12), st.binary(max_size=6))
def test_a_policy_with_an_accident_is_a_policy_or_has_problems(at: int, lost: int, new: bytes) -> None:
    check(EXAMPLE[:at] + new + EXAMPLE[at + lost :])
