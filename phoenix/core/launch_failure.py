"""A launch that AWS reports as failed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LaunchFailure:
    """A launch that AWS reports as failed. `permanent` ones cannot go away by waiting; `words` is AWS's reason.

    One that is not `known` has words that no table has: it is neither permanent nor the image's fault. An `absent` one
    says that something does not exist, which EC2 also says of what has just been made.
    """

    at: datetime
    permanent: bool
    blames_image: bool
    words: str
    known: bool = True
    absent: bool = False
