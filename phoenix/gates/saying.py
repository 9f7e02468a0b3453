"""The answer of a function or a web service: `{"verdict": "PASS", "reason": "42 checks"}`.

Must never take an answer of another form for one.
"""

from __future__ import annotations

import json

from phoenix.core.model import Cause, Judgement
from phoenix.gates.acceptance import Answer, in_one_line

LONGEST: int = 64 * 1024
"""Bytes of an answer that are read; a verdict and its reason need a few hundred."""


def read(body: bytes) -> Answer:
    """The answer; one that is of another form fails, and the image is not at fault."""
    if len(body) > LONGEST:
        return _unreadable(f"more than {LONGEST} bytes")
    try:
        said = json.loads(body)
    except ValueError:
        return _unreadable(in_one_line(body.decode(errors="replace"))[:80] or "nothing")
    if not isinstance(said, dict) or said.get("verdict") not in list(Judgement):
        return _unreadable(in_one_line(json.dumps(said))[:80])
    judgement = Judgement(said["verdict"])
    return Answer(judgement, str(said.get("reason") or "no reason given"))


def _unreadable(what: str) -> Answer:
    wanted = '{"verdict": "PASS", "WAIT" or "FAIL", "reason": "..."}'
    return Answer(Judgement.FAIL, f"answered {what}; wanted: {wanted}", Cause.ENVIRONMENT)
