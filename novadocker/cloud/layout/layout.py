# SPDX-License-Identifier: Apache-2.0
"""Paths, ports and names of a cloud."""

import ipaddress
import sys
from dataclasses import dataclass, fields
from pathlib import Path

from novadocker.cloud.errors import HostUnfit, HostUnknown
from novadocker.cloud.layout.cabling import Cabling
from novadocker.cloud.layout.host import FAKE_DRIVER, LOOPBACK, ComputeHost
from novadocker.cloud.layout.settings import OVN, Settings

__all__ = ["LOOPBACK", "ComputeHost", "Layout", "Ports"]

# Whom servers ask for names on OVN's networks, where the switch answers for the cloud's own.
RESOLVER = "8.8.8.8"
REGION = "RegionOne"
DATABASES = (
    "keystone",
    "glance",
    "placement",
    "nova_api",
    "nova",
    "nova_cell0",
    "neutron",
    "heat",
    "cinder",
)
PHYSICAL_NETWORK = "public"
# Every process of the cloud carries this variable with the state directory as its value,
# and hands it to its children: so they are found, whoever started them.
MEMBER = "NOVADOCKER_CLOUD_MEMBER"
# Those of a compute host carry its name in this one.
HOST = "NOVADOCKER_CLOUD_HOST"
# sockaddr_un has room for 108 bytes; dockerd adds the longest name, below its exec root.
_SOCKET_PATH_ROOM = 107 - len("/exec/libnetwork/0123456789ab.sock")


@dataclass(frozen=True)
class Ports:
    """The TCP ports, on loopback; orchestration's also on the public network's gateway."""

    keystone: int
    glance: int
    placement: int
    nova: int
    nova_metadata: int
    neutron: int
    serial_proxy: int
    mariadb: int
    rabbitmq: int
    rabbitmq_nodes: int
    epmd: int
    openflow: int
    heat: int
    heat_cfn: int
    horizon: int
    southbound: int
    cinder: int

    @classmethod
    def starting_at(cls, base: int) -> "Ports":
        """Return consecutive ports."""
        return cls(*range(base, base + len(fields(cls))))


@dataclass(frozen=True)
class Layout:
    """Paths, ports and hosts of a cloud.

    Args:
        state: the directory below which everything is.
        settings: the owner's choices.
        venv: the virtual environment with OpenStack in it.
    """

    state: Path
    settings: Settings
    venv: Path = Path(sys.prefix)

    @property
    def ports(self) -> Ports:
        """The TCP ports."""
        return Ports.starting_at(self.settings.port_base)

    @property
    def hosts(self) -> tuple[ComputeHost, ...]:
        """The compute hosts."""
        real = tuple(self._real_host(number) for number in range(1, self.settings.computes + 1))
        if not self.settings.fake_host:
            return real
        fake = ComputeHost(
            name="fake",
            data=self.data / "fake",
            run=self.run / "fake",
            driver=FAKE_DRIVER,
            suffix="@fake",
            zone="fake",
            real=False,
        )
        return (*real, fake)

    @property
    def cabling(self) -> Cabling | None:
        """Cables between the compute hosts; None for a single host."""
        if self.settings.computes == 1:
            return None
        return Cabling(self.state, floating=self.settings.network == OVN)

    def host(self, name: str) -> ComputeHost:
        """Return a compute host by name."""
        for host in self.hosts:
            if host.name == name:
                return host
        known = ", ".join(host.name for host in self.hosts)
        raise HostUnknown(name=name, known=known)

    def _real_host(self, number: int) -> ComputeHost:
        name = f"docker{number}"
        return ComputeHost(
            name=name,
            data=self.data / name,
            run=self.run / name,
            driver=self.settings.driver,
            suffix="" if number == 1 else f"@{name}",
            number=number,
            cabling=self.cabling,
        )

    @property
    def public_gateway(self) -> ipaddress.IPv4Interface:
        """The machine's own address on the public network: the first."""
        network = self.settings.public_network
        return ipaddress.IPv4Interface(f"{network[1]}/{network.prefixlen}")

    @property
    def data(self) -> Path:
        """Directory of data that outlive a restart."""
        return self.state / "data"

    @property
    def run(self) -> Path:
        """Sockets and process ids."""
        return self.state / "run"

    @property
    def log(self) -> Path:
        """Directory of the services' logs."""
        return self.state / "log"

    @property
    def tmp(self) -> Path:
        """Temporary files, on the state's disk: uploads pass through."""
        return self.state / "tmp"

    def conf(self, service: str) -> Path:
        """Return the directory of a service's configuration."""
        return self.state / "conf" / service

    def log_of(self, service: str) -> Path:
        """Return a service's log."""
        return self.log / f"{service}.log"

    def program(self, name: str) -> str:
        """Return the path of a program of the virtual environment."""
        return str(self.venv / "bin" / name)

    @property
    def clouds_yaml(self) -> Path:
        """File with the clouds for clients."""
        return self.state / "clouds.yaml"

    @property
    def demo_key(self) -> Path:
        """The private key of the key pair ``demo``."""
        return self.state / "demo.key"

    @property
    def database_socket(self) -> Path:
        """Socket of MariaDB for the superuser."""
        return self.run / "mariadb.sock"

    @property
    def northbound(self) -> str:
        """OVN's northbound database."""
        return f"unix:{self.run / 'ovn-nb.sock'}"

    @property
    def southbound(self) -> str:
        """OVN's southbound database."""
        return f"unix:{self.run / 'ovn-sb.sock'}"

    def southbound_of(self, host: ComputeHost) -> str:
        """Return the southbound database's address for a host."""
        # Over the management network, so that a host which is cut off is cut off from OVN too.
        return f"tcp:{LOOPBACK}:{self.ports.southbound}" if host.namespace else self.southbound

    def url(self, port: int, path: str = "") -> str:
        """Return the URL of an API."""
        return f"http://{LOOPBACK}:{port}{path}"

    @property
    def identity_url(self) -> str:
        """Keystone's API."""
        return self.url(self.ports.keystone, "/v3")

    def check_lengths(self) -> None:
        """Refuse a state directory with too long paths of sockets."""
        longest = max(len(str(host.run)) for host in self.hosts)
        if longest > _SOCKET_PATH_ROOM:
            room = _SOCKET_PATH_ROOM - longest + len(str(self.state))
            reason = f"{self.state} is too long for Unix sockets: use at most {room} characters"
            raise HostUnfit(reason=reason)
