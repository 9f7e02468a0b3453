"""Write a policy as its owner could have, with every default filled in.

Must never show a policy that does not load back to the same one.
"""

from __future__ import annotations

import re

import yaml

from phoenix.policy.model import Policy


class _Dumper(yaml.SafeDumper):
    """A dumper that quotes text if the loader would not take it for text without quotes."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if re.fullmatch(r"[-+]?0[0-9_]+", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


def show(policy: Policy) -> str:
    """The policy as YAML. Keys that have no default and were not given are left out."""
    plain = policy.model_dump(mode="json", by_alias=True, exclude_none=True)
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
