# SPDX-License-Identifier: Apache-2.0
"""Hosts of network namespaces, each with an agent and announced interfaces."""

import http.client
import itertools
import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from novadocker.cloud.doubles.opensdn.control import ControlNode, Subnet, VirtualNetwork
from novadocker.virt.docker.privileged import namespace
from tests.engine.wiring.stand_in import run
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[3]
_NUMBERS = itertools.count(1)
# Two daemons, a protocol and a poll are between a change and its effect.
PATIENCE = 40.0


def enter(name: str, work: Callable[..., Any], *args: Any) -> Any:
    """Call something in a named network namespace."""
    with Path(f"/run/netns/{name}").open() as there:
        return namespace.inside(there.fileno(), work, *args)


@dataclass
class Host:
    """Host: network namespace with an agent.

    Args:
        name: name of the namespace.
        address: in the underlay.
        peers: the other hosts'.
        directory: for the agent's and FRR's files.
        networks: the control node's.
    """

    name: str
    address: str
    peers: tuple[str, ...]
    directory: Path
    networks: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the agent and wait for an answer."""
        settings = {
            "host": self.name,
            "address": self.address,
            "peers": self.peers,
            "networks": str(self.networks),
            "run": str(self.directory / "frr"),
        }
        self.directory.mkdir(exist_ok=True)
        config = self.directory / "packets.json"
        config.write_text(json.dumps(settings))
        words = (
            "nsenter",
            f"--net=/run/netns/{self.name}",
            sys.executable,
            "-m",
            "novadocker.cloud.doubles.opensdn",
            "--ports-directory",
            self.directory / "ports",
            *(
                "--data-plane",
                "novadocker.cloud.doubles.opensdn.packets:Packets",
                "--data-plane-config",
                config,
            ),
        )
        with (self.directory / "agent.log").open("ab") as log:
            self.process = subprocess.Popen([str(word) for word in words], stderr=log, cwd=ROOT)
        assert eventually(self.answers, PATIENCE)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the agent."""
        if self.process:
            self.process.send_signal(number)
            self.process.wait(timeout=20)
            self.process = None

    def answers(self) -> bool:
        """Tell whether the agent answers."""
        with suppress(OSError):
            return bool(self.ask("GET", "/port/nothing"))
        return False

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Ask the agent."""

        def answer() -> tuple[int, str]:
            with closing(http.client.HTTPConnection("127.0.0.1", 9091, timeout=10)) as connection:
                text = None if body is None else json.dumps(body)
                connection.request(method, path, text, {"Content-Type": "application/json"})
                response = connection.getresponse()
                return response.status, response.read().decode()

        return enter(self.name, answer)

    def troubles(self) -> list[str]:
        """Return the agent's troubles with ports."""
        log = (self.directory / "agent.log").read_text()
        return [line for line in log.splitlines() if "ERROR Port" in line]


@dataclass
class Machine:
    """Stand-in for a server: network namespace with an interface of a virtual network."""

    host: Host
    network: VirtualNetwork
    addresses: tuple[str, ...]
    port: str = field(default_factory=lambda: str(uuid.uuid4()))
    instance: str = field(default_factory=lambda: str(uuid.uuid4()))
    number: int = field(default_factory=lambda: next(_NUMBERS))
    mac: str = ""

    @property
    def name(self) -> str:
        """Name of the namespace."""
        return f"{self.host.name}-m{self.number}"

    @property
    def device(self) -> str:
        """Name of the host end."""
        return f"tap{self.port}"[:14]

    def make(self) -> None:
        """Make namespace and interface, and announce the port."""
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        self.mac = self.mac or f"fa:16:3e:00:00:{self.number:02x}"
        self.connect()
        self.announce()

    def connect(self) -> None:
        """Make the interface in the driver's way."""
        peer = ("peer", "name", "eth0", "netns", self.name, "address", self.mac)
        run("ip", "-n", self.host.name, "link", "add", self.device, "type", "veth", *peer)
        run("ip", "-n", self.host.name, "link", "set", self.device, "up")
        run("ip", "-n", self.name, "link", "set", "eth0", "mtu", "1400", "up")
        for subnet, address in zip(self.network.subnets, self.addresses, strict=True):
            family, dad = ("-6", ("nodad",)) if ":" in address else ("-4", ())
            length = subnet.prefix.partition("/")[2]
            run("ip", "-n", self.name, "address", "add", f"{address}/{length}", "dev", "eth0", *dad)
            run("ip", "-n", self.name, family, "route", "add", "default", "via", subnet.gateway)

    def announce(self) -> None:
        """Announce the port to the agent."""
        status, text = self.host.ask("POST", "/port", self._said())
        assert status == 200, text

    def withdraw(self) -> None:
        """Delete the port at the agent."""
        assert self.host.ask("DELETE", f"/port/{self.port}")[0] == 200

    def move(self, host: Host) -> None:
        """Let the port go to another host, as a migration does."""
        self.withdraw()
        run("ip", "-n", self.host.name, "link", "delete", self.device)
        run("ip", "netns", "delete", self.name)
        self.host = host
        self.make()

    def remove(self) -> None:
        """Take namespace and interface away."""
        if self.host.process:
            self.withdraw()
        subprocess.run(["ip", "netns", "delete", self.name], check=False, capture_output=True)

    def reaches(self, address: str, **options: Any) -> bool:
        """Tell whether an address answers one of several pings."""
        return any(self._ping(address) for _ in range(options.get("times", 1)))

    def _ping(self, address: str) -> bool:
        words = ("nsenter", f"--net=/run/netns/{self.name}", "ping", "-c", "1", "-W", "1", address)
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    def _said(self) -> dict[str, Any]:
        ip4 = next((each for each in self.addresses if ":" not in each), "")
        ip6 = next((each for each in self.addresses if ":" in each), "")
        return {
            "id": self.port,
            "instance-id": self.instance,
            "vn-id": self.network.id,
            "vm-project-id": uuid.uuid4().hex,
            "display-name": "machine",
            "ip-address": ip4,
            "ip6-address": ip6,
            "mac-address": self.mac,
            "system-name": self.device,
            "type": 0,
            "rx-vlan-id": -1,
            "tx-vlan-id": -1,
        }


@dataclass
class Site:
    """Two hosts with a common control node."""

    one: Host
    other: Host
    control: ControlNode
    machines: list[Machine] = field(default_factory=list)

    @property
    def hosts(self) -> tuple[Host, Host]:
        """Both hosts."""
        return self.one, self.other

    def network(self, number: int, *subnets: Subnet) -> VirtualNetwork:
        """Make a virtual network."""
        made = VirtualNetwork(str(uuid.uuid4()), number, subnets)
        self.control.publish(made)
        return made

    def machine(self, host: Host, network: VirtualNetwork, *addresses: str) -> Machine:
        """Make a machine on a host."""
        made = Machine(host, network, addresses)
        self.machines.append(made)
        made.make()
        return made

    def known(self, network: VirtualNetwork) -> VirtualNetwork:
        """Return a network of the control node's present state."""
        found = self.control.get(network.id)
        assert found
        return found

    def clear(self) -> None:
        """Take all machines and networks away."""
        while self.machines:
            self.machines.pop().remove()
        for network in list(self.control):
            self.control.forget(network.id)


def underlay(one: str, other: str) -> None:
    """Make two hosts' namespaces and a cable between."""
    for name in (one, other):
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
    run(*("ip", "-n", one, "link", "add", "underlay", "type", "veth"),
        *("peer", "name", "underlay", "netns", other))  # fmt: skip
    for number, name in enumerate((one, other), start=1):
        run("ip", "-n", name, "address", "add", f"192.0.2.{number}/24", "dev", "underlay")
        run("ip", "-n", name, "link", "set", "underlay", "up")


def pair(one: str, other: str, where: Path) -> tuple[Host, Host]:
    """Return the two hosts of an underlay, each the other's peer, with files in a folder."""
    addresses = ("192.0.2.1", "192.0.2.2")
    networks = where / "networks"
    return (
        Host(one, addresses[0], addresses[1:], where / "one", networks),
        Host(other, addresses[1], addresses[:1], where / "other", networks),
    )
