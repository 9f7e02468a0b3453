from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from phoenix.stores.owner import is_dead, this_driver

HOST = socket.gethostname()
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="start times come from /proc")


def test_we_are_alive() -> None:
    assert this_driver().startswith(f"{HOST}/{os.getpid()}")
    assert not is_dead(this_driver())


def test_a_program_of_this_machine_that_has_ended_is_dead() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from phoenix.stores.owner import this_driver; print(this_driver())"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert is_dead(said.stdout.strip())


@ON_LINUX
def test_a_program_that_got_the_pid_of_a_dead_one_is_another_driver() -> None:
    host, pid, start = this_driver().split("/")

    assert is_dead(f"{host}/{pid}/1{start}")


@ON_LINUX
def test_a_zombie_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        start = this_driver().split("/")[2]

        assert is_dead(f"{HOST}/{child.pid}/{start}")


@pytest.mark.parametrize(
    "owner",
    [
        f"elsewhere/{os.getpid()}/1",
        f"{HOST}/{os.getpid()}/1.12345",
        f"{HOST}/0",
        f"{HOST}/-1",
        f"{HOST}/what",
        f"lambda {HOST}/advance",
        "",
    ],
    ids=["other machine", "other container", "pid 0", "pid -1", "no pid", "a name", "nothing"],
)
def test_no_driver_is_called_dead_on_a_guess(owner: str) -> None:
    assert not is_dead(owner)
