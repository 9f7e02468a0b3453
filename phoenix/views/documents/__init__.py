"""The types of all JSON documents: what `-o json` prints is one of these, and `docs/json` has a JSON Schema for each
command, made from them.

One more field: add it to the dictionary that is printed (mypy names the type here that lacks it), to that type with a
word about what the name does not say, and run `make schemas`. One more command: its types in `DOCUMENTS`. Fields are
only ever added: scripts rely on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from phoenix.views.documents.past import (
    Candidate,
    Event,
    History,
    HistoryRotation,
    Images,
    Origin,
    PastRotation,
    TimelineRotation,
)
from phoenix.views.documents.plans import BlockedStart, Blocker, Generation, Plan, PlannedCapacity, PlannedStep
from phoenix.views.documents.reports import (
    Age,
    Command,
    Driver,
    Error,
    Failure,
    Gate,
    GenerationRow,
    Ignored,
    NotReady,
    OldBase,
    Quarantined,
    Repairs,
    Report,
    ReportWithAge,
    Request,
    RollbackReady,
    Rotation,
    RotationInShort,
    Snowflakes,
)
from phoenix.views.documents.setup import (
    Attached,
    Check,
    Doctor,
    FoundGroup,
    IamDocument,
    Inventory,
    Obstacle,
    Problem,
    RunningImage,
    SandboxOpened,
    Scenario,
    Size,
    Validation,
    WrittenFiles,
)

__all__ = [
    "DOCUMENTS",
    "Age",
    "Attached",
    "BlockedStart",
    "Blocker",
    "Candidate",
    "Check",
    "Command",
    "Doctor",
    "Driver",
    "Error",
    "Event",
    "Failure",
    "FoundGroup",
    "Gate",
    "Generation",
    "GenerationRow",
    "History",
    "HistoryRotation",
    "IamDocument",
    "Ignored",
    "Images",
    "Inventory",
    "NotReady",
    "Obstacle",
    "OldBase",
    "Origin",
    "PastRotation",
    "Plan",
    "PlannedCapacity",
    "PlannedStep",
    "Problem",
    "Quarantined",
    "Repairs",
    "Report",
    "ReportWithAge",
    "Request",
    "RollbackReady",
    "Rotation",
    "RotationInShort",
    "RunningImage",
    "SandboxOpened",
    "Scenario",
    "Size",
    "Snowflakes",
    "TimelineRotation",
    "Validation",
    "WrittenFiles",
]

DOCUMENTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "status": (Report, list[ReportWithAge | Failure]),
    "rollback": (Report,),
    "pause": (Report,),
    "resume": (Report,),
    "abort": (Report,),
    "plan": (Plan, list[Plan | Failure]),
    "rotate": (Report, Plan, BlockedStart),
    "promote": (Report,),
    "retry": (Report, BlockedStart),
    "history": (History, list[TimelineRotation | Failure]),
    "images": (Images, Report, dict[str, Any]),
    "init": (Inventory,),
    "policy": (Validation, dict[str, Any]),
    "doctor": (Doctor,),
    "iam": (IamDocument, WrittenFiles),
    "drift": (dict[str, Any], list[dict[str, Any]]),
    "taint": (list[dict[str, Any]],),
    "untaint": (list[dict[str, Any]],),
    "tick": (Report, Failure, list[Report | Failure]),
    "repair": (Repairs, Report),
    "sandbox": (SandboxOpened, list[Scenario]),
}
"""What each command may print; an error's document (`Failure`) may come from any of them."""
