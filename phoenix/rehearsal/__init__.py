"""A copy of one group's AWS in memory, for `plan`: reads are answered from it, writes change it and are written down.

Must never let a write through to AWS, nor make up a fact that AWS can be asked for: only what would happen is made up.
"""

from phoenix.rehearsal.account import RehearsedAws
from phoenix.rehearsal.clock import RehearsedClock

__all__ = ["RehearsedAws", "RehearsedClock"]
