# SPDX-License-Identifier: Apache-2.0
"""Running servers that move between the two hosts of a cloud, with their connections."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import pytest
from openstack.exceptions import BadRequestException

from novadocker.virt.docker.checkpoint.places import handover_of
from tests.hosts.moved import MOVE, Moved, service_of
from tests.support.cloud_site import Site, Tenant, page, until

# Of a peer that connects anew each time, on two busy processors; bench/ has the down time.
SILENCE = 30.0
# A tracer that never stops the traced process (PTRACE_SEIZE), and lets go when it ends.
TRACER = """
import ctypes, sys, time
assert ctypes.CDLL(None).ptrace(0x4206, int(sys.argv[1]), 0, 0) == 0
print("traced", flush=True)
time.sleep(600)
"""
OVER = ("completed", "error", "failed", "cancelled")
ASK = b"GET / HTTP/1.0\r\n\r\n"


@pytest.fixture
def moved(site: Site, owner: Tenant, web: str) -> Iterator[Moved]:
    """Return a web server of the test's own."""
    assert site.layout.settings.computes > 1, "novadocker-cloud up --computes 2"
    made = Moved(site, owner.boot(web))
    yield made
    owner.delete(made.server)


def _ask(moved: Moved) -> None:
    moved.site.admin.compute.live_migrate_server(
        moved.server, host=moved.other.name, block_migration="auto"
    )


def _migration(moved: Moved) -> Any:
    found = list(moved.site.admin.compute.migrations(instance_uuid=moved.server))
    return max(found, key=lambda each: each.id) if found else None


def _ended(moved: Moved, *states: str) -> None:
    def reached() -> bool:
        found = _migration(moved)
        status = found.status if found else ""
        if status in OVER and status not in states:
            pytest.fail(f"the migration is {status}: {_reasons(moved)}")
        return status in states

    until(reached, f"the migration to be {states}", MOVE)
    moved.site.wait(moved.server, "ACTIVE", MOVE)


def _started(moved: Moved) -> str:
    found = moved.container(moved.host)
    assert found is not None
    return str(found["State"]["StartedAt"])


def _reasons(moved: Moved) -> str:
    """Return what the events of the server's actions tell an administrator."""
    compute, told = moved.site.admin.compute, []
    for action in compute.server_actions(moved.server):
        full = compute.get_server_action(action.request_id, moved.server)
        told += [f"{event.event} {event.details or ''}" for event in full.events or ()]
    return "\n".join(told)


class Beats:
    """A peer that asks a server for its page again and again, and notes the longest silence."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._stop = threading.Event()
        self.longest = 0.0
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._stop.is_set():
            with contextlib.suppress(OSError):
                with socket.create_connection((self._address, 80), timeout=0.3) as peer:
                    peer.sendall(ASK)
                    answered = bool(peer.recv(1))
                if answered:
                    now = time.monotonic()
                    self.longest, last = max(self.longest, now - last), now
            time.sleep(0.05)


def test_a_connection_outlives_a_live_migration(moved: Moved) -> None:
    """A client that connected before has its answer from the other host, by the same process."""
    site, source = moved.site, moved.host
    address = site.give_address(moved.server)
    page(address)
    moved.run("echo kept > /root/file; echo memory > /dev/shm/memory")
    (port,) = site.ports(moved.server)
    with socket.create_connection((address, 80), timeout=60) as client, Beats(address) as beats:
        until(lambda: "ESTABLISHED" in moved.run("netstat -tn"), "the server's end")
        _ask(moved)
        _ended(moved, "completed")
        assert moved.host.name != source.name
        client.sendall(ASK)
        assert client.makefile("rb").readline().startswith(b"HTTP/1.")
        time.sleep(1)
    assert beats.longest < SILENCE
    assert moved.run("cat /root/file /dev/shm/memory") == "kept\nmemory\n"
    (now,) = site.ports(moved.server)
    assert (now.id, now.mac_address, now.fixed_ips) == (port.id, port.mac_address, port.fixed_ips)
    moved.assert_alone_on(moved.host)
    page(address)


def test_a_server_that_cannot_move_goes_on_where_it_was(moved: Moved) -> None:
    """A refused server was not even frozen, and the reason is in its action."""
    source, began = moved.host, _started(moved)
    found = moved.container(source)
    assert found is not None
    # A process that another one traces; the kernel gives it no second tracer.
    with _traced(found["State"]["Pid"]), pytest.raises(BadRequestException):
        _ask(moved)
    moved.site.wait(moved.server, "ACTIVE", MOVE)
    assert moved.host.name == source.name
    assert _started(moved) == began
    moved.assert_alone_on(source)
    assert "being traced" in _reasons(moved)


@contextlib.contextmanager
def _traced(pid: int) -> Iterator[None]:
    words = (sys.executable, "-c", TRACER, str(pid))
    with subprocess.Popen(words, stdout=subprocess.PIPE) as tracer:
        try:
            assert tracer.stdout is not None
            assert tracer.stdout.readline() == b"traced\n"
            yield
        finally:
            tracer.kill()


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_death_in_the_middle_leaves_one_server(moved: Moved, side: str) -> None:
    """A nova-compute killed while files travel leaves the server running on its old host."""
    source, other = moved.host, moved.other
    address = moved.site.give_address(moved.server)
    page(address)
    moved.run("dd if=/dev/urandom of=/root/big bs=1M count=400 2>/dev/null")
    began = _started(moved)
    _ask(moved)
    until(lambda: moved.container(other), "the server to begin to arrive", MOVE)
    os.kill(moved.site.pid(service_of(source if side == "source" else other)), signal.SIGKILL)
    _ended(moved, "error", "failed")
    assert moved.host.name == source.name
    assert _started(moved) == began
    page(address)
    moved.assert_alone_on(source)


def test_a_death_after_the_handover_leaves_one_server(moved: Moved) -> None:
    """A source killed when it has handed its server over asks the destination who has it."""
    source = moved.host
    address = moved.site.give_address(moved.server)
    page(address)
    service, note = moved.site.pid(service_of(source)), handover_of(moved.server)
    _ask(moved)
    deadline = time.monotonic() + MOVE
    while not note.exists():
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(service, signal.SIGKILL)
    until(lambda: not note.exists(), "the destination to be asked", MOVE)
    moved.site.wait(moved.server, "ACTIVE", MOVE)
    page(address)
    moved.assert_alone_on(moved.host)


def test_an_aborted_migration_leaves_the_server(moved: Moved) -> None:
    """An abort while files travel lets the server run on, and leaves nothing elsewhere."""
    source, began = moved.host, _started(moved)
    moved.run("dd if=/dev/urandom of=/root/big bs=1M count=400 2>/dev/null")
    _ask(moved)
    until(lambda: moved.container(moved.other), "the server to begin to arrive", MOVE)
    compute = moved.site.admin.compute
    (migration,) = compute.server_migrations(moved.server)
    compute.abort_server_migration(migration, moved.server)
    _ended(moved, "cancelled")
    assert moved.host.name == source.name
    assert _started(moved) == began
    moved.assert_alone_on(source)
