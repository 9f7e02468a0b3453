"""`sandbox`: what it prints, as the programs that are started with it need it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PATIENCE_S = 60


def announced(folder: Path) -> dict[str, Any]:
    """What a sandbox says of itself; it has ended by the time this returns."""
    command = [sys.executable, "-m", "phoenix", "sandbox", "-o", "json", "--policies", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
        try:
            assert program.stdout is not None
            found: dict[str, Any] = json.loads(program.stdout.readline())
            place = Path(found["environment"]["PHOENIX_STORE"].removeprefix("sqlite:///")).parent
            assert place.is_dir()
        finally:
            program.send_signal(signal.SIGINT)
            program.wait(PATIENCE_S)
    assert not place.exists(), "what was rehearsed stays behind"
    return found


def test_each_sandbox_has_a_store_of_its_own_that_goes_with_it(tmp_path: Path) -> None:
    first, second = (announced(tmp_path)["environment"] for _ in range(2))

    assert first["PHOENIX_STORE"] != second["PHOENIX_STORE"]
    assert first["PHOENIX_POLICIES"] == str(tmp_path.resolve())
