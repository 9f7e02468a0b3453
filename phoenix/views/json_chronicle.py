"""The JSON documents of a rotation over time: what was seen, decided, judged and called, and the evidence of a failure.

Must never leave a key out: an unknown value is null.
"""

from __future__ import annotations

from phoenix.core.chronicle import Evidence, Judged
from phoenix.core.rotation import Rotation
from phoenix.views import documents
from phoenix.views.json import time


def chronicle(told: Rotation) -> documents.Chronicle:
    """Return what was recorded of a rotation over time, and the evidence if it failed."""
    kept = told.chronicle
    return {
        "samples": [
            {"at": time(s.at), "old": s.old, "new": s.new, "weight": s.weight, "phase": str(s.phase)}
            for s in kept.samples
        ],
        "decisions": [{"at": time(d.at), "why": d.why, "actions": list(d.actions)} for d in kept.decisions],
        "judgements": [_judged(judged) for judged in kept.judgements],
        "writes": [{"at": time(w.at), "call": w.call, "error": w.error or None} for w in kept.writes],
        "reads": dict(kept.reads),
        "evidence": None if kept.evidence is None else _evidence(kept.evidence),
    }


def _judged(told: Judged) -> documents.JudgementRow:
    return {"at": time(told.at), "gate": told.gate, "verdict": str(told.judgement), "reason": told.reason}


def _evidence(told: Evidence) -> documents.EvidenceOfFailure:
    return {
        "at": time(told.at),
        "why": told.why,
        "gates": [_judged(judged) for judged in told.verdicts],
        "instances": [{"id": i.id, "zone": i.zone, "state": i.state, "why": i.why} for i in told.instances],
        "launches": list(told.launches),
        "console": None if told.console is None else {"instance": told.console.instance, "text": told.console.text},
        "series": [
            {
                "alarm": s.alarm, "metric": s.metric, "threshold": s.threshold, "comparison": s.comparison or None,
                "points": [{"at": time(p.at), "value": p.value} for p in s.points],
            }
            for s in told.series
        ],
        "missing": list(told.missing),
    }  # fmt: skip
