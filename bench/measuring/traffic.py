# SPDX-License-Identifier: Apache-2.0
"""Throughput of a NIC, and a packet's time."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measuring.wires import Host
from novadocker.cloud.doubles.opensdn import routing
from novadocker.cloud.doubles.opensdn.control import ControlNode, Subnet
from tests.engine.opensdn import host as opensdn
from tests.engine.wiring.stand_in import run

PROGRAMS = {"iperf3": "iperf3", "ping": "iputils-ping", **routing.PROGRAMS}
_PINGS = 200
_NETWORK = (Subnet("10.0.0.0/24", "10.0.0.1"),)


@dataclass(frozen=True)
class Row:
    """Way between two network namespaces.

    Attributes:
        way: name of the path between.
        mbit: TCP, Mbit/s.
        milliseconds: there and back.
    """

    way: str
    mbit: float
    milliseconds: float


def on_one_host(host: Host, seconds: int, tell: Callable[[str], None]) -> list[Row]:
    """Measure ways within a host.

    Args:
        host: with the switch.
        seconds: duration of each stream.
        tell: is told how far it is.
    """
    rows = []
    one, other = host.server(60), host.server(61)
    for server in (one, other):
        server.wire(host.wiring)
    tell("sending through Open vSwitch in user space")
    pids = [f"/proc/{server.process.pid}/ns/net" for server in (one, other)]
    rows.append(_measure("our wiring, Open vSwitch in user space", *pids, "10.0.0.61", seconds))
    for server in (one, other):
        server.unwire(host.wiring)
        server.end()
    for way, make in (("a veth pair", _pair), ("a Linux bridge, as Docker's", _bridge)):
        tell(f"sending through {way}")
        with make() as (here, there):
            rows.append(_measure(way, here, there, "10.9.0.2", seconds))
    return rows


def across_hosts(seconds: int, tell: Callable[[str], None]) -> list[Row]:
    """Measure ways between hosts made of network namespaces.

    Args:
        seconds: duration of each stream.
        tell: is told how far it is.
    """
    with _two_hosts() as site:
        red = site.network(1001, *_NETWORK)
        one = site.machine(site.one, red, "10.0.0.5")
        near = site.machine(site.one, red, "10.0.0.6")
        far = site.machine(site.other, red, "10.0.0.7")
        paths = [f"/run/netns/{each.name}" for each in (one, near, far)]
        for address in ("10.0.0.6", "10.0.0.7"):
            assert one.reaches(address, times=30)
        tell("sending through VRFs")
        hosts = [f"/run/netns/{each.name}" for each in site.hosts]
        return [
            _measure("a VRF's bridge", paths[0], paths[1], "10.0.0.6", seconds),
            _measure("across hosts: the cable itself", *hosts, "192.0.2.2", seconds),
            _measure("across hosts: a VRF's VXLAN", paths[0], paths[2], "10.0.0.7", seconds),
        ]


def table(rows: list[Row]) -> str:
    """Write the figures as a table."""
    lines = [f"{'':42}{'Mbit/s':>10}{'ms':>9}"]
    lines += [f"{row.way:42}{row.mbit:10.0f}{row.milliseconds:9.3f}" for row in rows]
    return "\n".join(lines)


def _measure(way: str, here: str, there: str, address: str, seconds: int) -> Row:
    listening = subprocess.Popen(
        [*_in(there), "iperf3", "-s", "-1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        ping = run(*_in(here), "ping", "-q", "-c", str(_PINGS), "-i", "0.002", address)
        told = json.loads(
            run(*_in(here), "iperf3", "-c", address, "-t", str(seconds), "-J", "-O", "1")
        )
    finally:
        listening.kill()
        listening.wait()
    found = re.search(r"= [\d.]+/([\d.]+)/", ping)
    assert found, ping
    return Row(way, told["end"]["sum_received"]["bits_per_second"] / 1e6, float(found.group(1)))


def _in(namespace: str) -> tuple[str, str]:
    return "nsenter", f"--net={namespace}"


@contextmanager
def _namespaces() -> Iterator[tuple[str, str]]:
    names = (f"nd-bench1-{os.getpid()}", f"nd-bench2-{os.getpid()}")
    try:
        for name in names:
            run("ip", "netns", "add", name)
        yield names
    finally:
        for name in names:
            run("ip", "netns", "delete", name)


@contextmanager
def _pair() -> Iterator[tuple[str, str]]:
    with _namespaces() as names:
        here, there = names
        run(*("ip", "-n", here, "link", "add", "eth0", "type", "veth"),
            *("peer", "name", "eth0", "netns", there))  # fmt: skip
        _configure(names)
        yield f"/run/netns/{here}", f"/run/netns/{there}"


@contextmanager
def _bridge() -> Iterator[tuple[str, str]]:
    with _namespaces() as names:
        run("ip", "link", "add", "nd-bench", "type", "bridge")
        run("ip", "link", "set", "nd-bench", "up")
        for number, name in enumerate(names):
            outside = f"nd-bench{number}"
            run(*("ip", "link", "add", outside, "type", "veth"),
                *("peer", "name", "eth0", "netns", name))  # fmt: skip
            run("ip", "link", "set", outside, "master", "nd-bench", "up")
        _configure(names)
        yield f"/run/netns/{names[0]}", f"/run/netns/{names[1]}"
        run("ip", "link", "delete", "nd-bench")


def _configure(names: tuple[str, str]) -> None:
    for number, name in enumerate(names, start=1):
        run("ip", "-n", name, "address", "add", f"10.9.0.{number}/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")


@contextmanager
def _two_hosts() -> Iterator[opensdn.Site]:
    with ExitStack() as undo:
        where = Path(tempfile.mkdtemp(prefix="nd-bench-", dir="/var/tmp"))
        undo.callback(shutil.rmtree, where)
        where.chmod(0o711)
        names = [f"nd-bench{number}-{os.getpid()}" for number in (1, 2)]
        for name in names:
            undo.callback(run, "ip", "netns", "delete", name)
        opensdn.underlay(*names)
        hosts = opensdn.pair(*names, where)
        site = opensdn.Site(*hosts, ControlNode(where / "networks"))
        for host in hosts:
            undo.callback(host.stop)
            host.start()
        undo.callback(site.clear)
        yield site
