"""Where phoenix keeps what belongs to this user on this machine. Must never create anything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder in the XDG state folder."""
    state = Path(environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():  # the XDG specification wants a relative one ignored
        state = Path.home() / ".local" / "state"
    return state / "phoenix"
