# SPDX-License-Identifier: Apache-2.0
"""A server that takes all it can get harms itself: its neighbour and the host go on."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from novadocker.policy import MIB, Flavor
from novadocker.virt.docker.engine import Engine, Image
from tests.engine.virt.conftest import Servers
from tests.engine.virt.security.conftest import is_well
from tests.support.eventually import eventually

FLAVOR = Flavor(vcpus=1, memory_mib=32, root_gib=1, extra_specs={"docker:pids_limit": "40"})
LOG_BYTES = MIB  # as the fixture sets it; one old log is kept


@pytest.fixture
def hog(servers: Servers, hostile: Image) -> Servers:
    """A server that is about to take all it can get."""
    servers.images.image = hostile
    servers.ask(flavor=FLAVOR)
    return servers


def took(hog: Servers, what: str) -> int:
    """Boot it and return how much it got, when it gets no more."""
    hog.boot(None, command_line=f"/bin/hogs {what}")
    hog.wait_for("took ")
    return int(hog.guest.console().split(b"took ")[1].split()[0])


@pytest.mark.parametrize("what", ["memory", "inodes"])
def test_memory_runs_out_inside_only(hog: Servers, neighbour: Servers, what: str) -> None:
    """Its own and the kernel's for it: the kernel ends its process, and no other."""
    hog.boot(None, command_line=f"/bin/hogs {what}")
    hog.wait_for_end()
    assert eventually(lambda: hog.guest.get().out_of_memory, 10)
    assert is_well(neighbour)


def test_what_is_in_memory_counts(hog: Servers, neighbour: Servers) -> None:
    """Files in /dev/shm are within the flavor's memory: more of them end the server."""
    hog.boot(None, command_line="/bin/hogs shared_memory")
    hog.wait_for_end()
    # The engine hears of the end and of its cause by two messages, in either order.
    assert eventually(lambda: hog.guest.get().out_of_memory, 10)
    assert is_well(neighbour)


def test_processes_run_out_inside_only(hog: Servers, neighbour: Servers) -> None:
    """A fork bomb has as many as its flavor says; neighbour and host start further ones."""
    assert took(hog, "processes") == 39
    assert is_well(neighbour)  # each of its pauses is a process
    subprocess.run(["true"], check=True)


def test_open_files_run_out_inside_only(hog: Servers, neighbour: Servers) -> None:
    """Neighbour and host open further ones."""
    assert took(hog, "files") > 0
    assert is_well(neighbour)
    with Path("/dev/null").open("rb"):
        assert is_well(neighbour)


def test_a_processor_is_shared(hog: Servers, neighbour: Servers, engine: Engine) -> None:
    """Eight processes that never rest have one processor, and the neighbour its time."""
    hog.boot(None, command_line="/bin/hogs processor")
    time.sleep(0.2)
    begun, before = time.monotonic(), engine.usage(hog.guest.name).cpu_nanoseconds
    assert is_well(neighbour)
    time.sleep(max(begun + 1.5 - time.monotonic(), 0))
    used = engine.usage(hog.guest.name).cpu_nanoseconds - before
    assert 0 < used / 10**9 < 1.2 * (time.monotonic() - begun)


@pytest.mark.parametrize(
    "output", ["busybox yes flood", "cat /dev/zero", "cat /bin/attempts /bin/hogs"]
)
def test_a_flood_on_the_console_is_bounded(
    hog: Servers, neighbour: Servers, docker_api: Any, output: str
) -> None:
    """Many lines, one line without end, and bytes: the log is rotated, its end can be read."""
    hog.boot(f"while true; do {output}; done")
    time.sleep(1.5)
    log = Path(docker_api.inspect_container(hog.guest.name)["LogPath"])
    assert 0 < sum(_sizes(log)) < 2 * LOG_BYTES + LOG_BYTES // 2
    begun = time.monotonic()
    assert 0 < len(hog.guest.console()) <= 110 * 1024
    assert time.monotonic() - begun < 5
    assert is_well(neighbour)


def _sizes(log: Path) -> Iterator[int]:
    for file in log.parent.glob(f"{log.name}*"):
        try:
            yield file.stat().st_size
        except FileNotFoundError:  # rotated meanwhile
            continue
