# SPDX-License-Identifier: Apache-2.0
"""Routing of a host: FRR announces addresses to other hosts by BGP (EVPN).

A route says which address and MAC are behind which host, and bears the route target of its
virtual network. FRR puts the routes of a network into that network's own bridge by itself; those
that a policy lets in from another network are read here and are the data plane's to install.
"""

import os
import select
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tenacity

from novadocker.cloud.doubles.opensdn.commands import ask, run
from novadocker.cloud.doubles.opensdn.control import AUTONOMOUS_SYSTEM, VirtualNetwork

PROGRAMS = {"/usr/lib/frr/bgpd": "frr", "/usr/lib/frr/zebra": "frr"}
_USER = "frr"
_PATIENCE = 10
_WAYS = ("import", "export")
_FAMILY = ("configure terminal", f"router bgp {AUTONOMOUS_SYSTEM}", "address-family l2vpn evpn")
_PEER = """\
 neighbor {peer} remote-as {asn}
 neighbor {peer} timers 30 90
 neighbor {peer} timers connect 1
"""
_BGPD = """\
router bgp {asn}
 bgp router-id {address}
 no bgp default ipv4-unicast
{neighbors} address-family l2vpn evpn
{activated}  advertise-all-vni
  no dup-addr-detection
 exit-address-family
"""


@dataclass(frozen=True)
class Route:
    """Where an address is.

    Attributes:
        address: an interface's own.
        mac: the interface's.
        host: behind which it is.
        targets: route targets of the network.
    """

    address: str
    mac: str
    host: str
    targets: frozenset[str]


class Routing:
    """FRR's daemons in the calling process's network namespace.

    Args:
        directory: for what they keep; FRR's own user must be able to reach it.
        address: this host's, in the underlay.
        peers: the other hosts'.
    """

    def __init__(self, directory: Path, address: str, peers: tuple[str, ...]) -> None:
        self._directory = directory
        self._address = address
        self._peers = peers

    def start(self) -> None:
        """Start the daemons; leftovers of a killed process end before."""
        self.stop()
        self._directory.mkdir(parents=True, exist_ok=True)
        shutil.chown(self._directory, _USER, _USER)
        (self._directory / "zebra.conf").write_text("")
        (self._directory / "bgpd.conf").write_text(self._configuration())
        for daemon in ("zebra", "bgpd"):
            self._start(daemon)
        self._wait()

    def stop(self) -> None:
        """End the daemons."""
        for daemon in ("bgpd", "zebra"):
            path = self._directory / f"{daemon}.pid"
            with suppress(FileNotFoundError, ProcessLookupError):
                pid = int(path.read_text())
                if Path(f"/proc/{pid}/comm").read_text().strip() == daemon:
                    os.kill(pid, signal.SIGTERM)
                    _wait_for_end(pid)
            path.unlink(missing_ok=True)

    def announce(self, network: VirtualNetwork) -> None:
        """Take a network's routes into the bridge, and mark ours with the route target."""
        target = network.target
        words = (f"vni {network.number}", *(f"route-target {way} {target}" for way in _WAYS))
        self._ask(*_FAMILY, *words)

    def withdraw(self, network: VirtualNetwork) -> None:
        """Forget a network."""
        self._ask(*_FAMILY, f"no vni {network.number}")

    def routes(self) -> list[Route]:
        """Return the best route to each address of each network, our own included."""
        command = ("-c", "show bgp l2vpn evpn route type macip json")
        told = ask("vtysh", "--vty_socket", self._directory, *command)
        tables = (table for table in told.values() if isinstance(table, dict))
        entries = (entry for table in tables for entry in table.values() if isinstance(entry, dict))
        paths = (path for entry in entries for several in entry["paths"] for path in several)
        return [_route(path) for path in paths if path.get("bestpath") and "ip" in path]

    def _configuration(self) -> str:
        neighbors = (_PEER.format(peer=peer, asn=AUTONOMOUS_SYSTEM) for peer in self._peers)
        activated = (f"  neighbor {peer} activate\n" for peer in self._peers)
        return _BGPD.format(
            asn=AUTONOMOUS_SYSTEM,
            address=self._address,
            neighbors="".join(neighbors),
            activated="".join(activated),
        )

    def _start(self, daemon: str) -> None:
        where = self._directory
        run(
            f"/usr/lib/frr/{daemon}",
            "-d",
            "-f",
            where / f"{daemon}.conf",
            "-i",
            where / f"{daemon}.pid",
            "-z",
            where / "zserv",
            "--vty_socket",
            where,
            "-A",
            "127.0.0.1",
            "-P",
            "0",
            "--log",
            f"file:{where / daemon}.log",
        )

    @tenacity.retry(stop=tenacity.stop_after_delay(10), wait=tenacity.wait_fixed(0.1), reraise=True)
    def _wait(self) -> None:
        self._ask("show version")
        self.routes()

    def _ask(self, *commands: str) -> None:
        words = [word for command in commands for word in ("-c", command)]
        run("vtysh", "--vty_socket", self._directory, *words)


def _route(path: dict[str, Any]) -> Route:
    words = path["extendedCommunity"]["string"].split()
    return Route(
        address=path["ip"],
        mac=path["mac"],
        host=path["nexthops"][0]["ip"],
        targets=frozenset(word.removeprefix("RT:") for word in words if word.startswith("RT:")),
    )


def _wait_for_end(pid: int) -> None:
    # Its descriptor becomes readable when it ends; it need not be our child.
    process = os.pidfd_open(pid)
    try:
        select.select([process], [], [], _PATIENCE)
    finally:
        os.close(process)
