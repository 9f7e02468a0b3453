"""An AWS on your own machine: moto for the API's shapes, physics for time and failure.

Nothing here reaches the network, or any real account. The only place that may import moto.
"""

from phoenix.sandbox.box import Sandbox, new_session
from phoenix.sandbox.clock import ManualClock, SandboxClock, ScaledClock, SkewedClock
from phoenix.sandbox.desk import Call, Hook
from phoenix.sandbox.launching import LaunchFault
from phoenix.sandbox.physics import Behaviour, Physics, for_rehearsal
from phoenix.sandbox.scenarios import SCENARIOS, Scenario
from phoenix.sandbox.seed import GROUPS, PLAIN
from phoenix.sandbox.server import Server, environment, serve
from phoenix.sandbox.world import TargetGroupTruth

__all__ = [
    "GROUPS",
    "PLAIN",
    "SCENARIOS",
    "Behaviour",
    "Call",
    "Hook",
    "LaunchFault",
    "ManualClock",
    "Physics",
    "Sandbox",
    "SandboxClock",
    "ScaledClock",
    "Scenario",
    "Server",
    "SkewedClock",
    "TargetGroupTruth",
    "environment",
    "for_rehearsal",
    "new_session",
    "serve",
]
