# SPDX-License-Identifier: Apache-2.0
"""From inside a running server: ways out, and ways to harm the host, each refused."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from novadocker.virt.docker.injection.files import Entry
from tests.engine.virt.security.conftest import MakeWith
from tests.engine.virt.security.table import ATTEMPTS

# What the attempts would change, and one process that they aim at.
OF_HOST = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/domainname",
    "/proc/sys/kernel/ctrl-alt-del",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/modules",
    "/proc/swaps",
)


@pytest.fixture
def bystander() -> Iterator[int]:
    """A process of the host's that an attempt aims at."""
    process = subprocess.Popen(["sleep", "600"])
    try:
        yield process.pid
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def host() -> dict[str, str]:
    """Return what the attempts would change."""
    files = (Path(name) for name in OF_HOST)
    return {str(file): file.read_text() for file in files if file.exists()}


def answers(output: str) -> dict[str, str]:
    """Return the answer to each attempt."""
    tried = (line.split(maxsplit=1) for line in output.partition("tried all")[0].splitlines())
    return dict(words for words in tried if words)


@pytest.mark.parametrize("user", ["", "web"])
def test_every_way_out_is_refused(
    servers: Any, image_with: MakeWith, programs: tuple[Entry, ...], bystander: int, user: str
) -> None:
    """As root and as another user, by the answer that was to be expected; the host is as before."""
    servers.images.image = image_with(*programs, User=user)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        before = host()
        got = answers(servers.tell(None, command_line=f"/bin/attempts {bystander} {port}"))
        servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    assert sorted(got) == sorted(each.name for each in ATTEMPTS)
    root = not user
    odd = {
        each.name: got[each.name]
        for each in ATTEMPTS
        if not each.refused(got[each.name], root=root)
    }
    assert odd == {}
    assert host() == before
