"""Names of records, as Route 53 writes them. Pure.

Must never compare two names before both are written like this.
"""

from __future__ import annotations

import re
from typing import Final

_OTHERS: Final = re.compile(r"[^a-z0-9._\\-]")
_DUAL: Final = "dualstack."


def listed_name(name: str) -> str:
    """`*.Example.com.`: `\\052.example.com`, as AWS lists it, and as IAM's condition on names has it.

    "All letters must be lowercase", "without the trailing dot", other characters as octal codes:
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html
    """
    bare = name.lower().removesuffix(".")
    return _OTHERS.sub(lambda sign: f"\\{ord(sign[0]):03o}", bare)


def balancer_name(name: str) -> str:
    """The name of a load balancer, from its description or from a record: the console's records begin with
    `dualstack.`, and DNS knows no case."""
    return name.lower().removesuffix(".").removeprefix(_DUAL)
