# SPDX-License-Identifier: Apache-2.0
"""Double of the vRouter agent of Contrail, Tungsten Fabric and OpenSDN: table of ports.

It does what the agent's ``PortIpcHandler`` and ``PortSubscribeTable`` do, oddities included:

- the file of a port is written only if there is none, so a second announcement changes nothing
  of it, nor of the entry, unless it names another virtual machine;
- where the file cannot be written the port is not added, and the answer is success;
- files are loaded when the agent starts if their interface exists; a name that begins with a
  UUID is enough for a file to be loaded;
- after ``syncports``, ports that are not announced again in time are removed with their files.

Not here, and answered with "Operation Not Supported": virtual gateways, and the ``/vm`` calls,
which are those of container orchestrators.
"""

import datetime as dt
import ipaddress
import json
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from novadocker.cloud.doubles.opensdn.data_plane import DataPlane, Ipam
from novadocker.cloud.doubles.opensdn.port import (
    AUTHOR,
    NAMESPACE,
    NIL,
    REMOTE,
    Port,
    Refused,
    uuid_of,
)

LOG = logging.getLogger(__name__)
STALE_SECONDS = 60.0


@dataclass
class Entry:
    """Port in the agent's table, with the last round of ``syncports`` that announced the port."""

    port: Port
    version: int


def interface_exists(name: str) -> bool:
    """Tell whether the calling process's network namespace has an interface."""
    with suppress(OSError):
        return bool(socket.if_nametoindex(name))
    return False


class Agent:
    """Table of ports, with files and a data plane.

    Args:
        directory: place of the ports' files; made if missing.
        data_plane: carries packets.
        stale_seconds: how long after ``syncports`` a port may still be announced again.
        exists: tells whether there is an interface.
    """

    def __init__(
        self,
        directory: Path,
        data_plane: DataPlane,
        *,
        stale_seconds: float = STALE_SECONDS,
        exists: Callable[[str], bool] = interface_exists,
    ) -> None:
        self._directory = directory
        self._data_plane = data_plane
        self._stale_seconds = stale_seconds
        self._exists = exists
        self._entries: dict[str, Entry] = {}
        self._version = 0
        self._sweeps: list[threading.Timer] = []
        self._lock = threading.RLock()
        self.troubles: list[str] = []
        (directory / "vm").mkdir(parents=True, exist_ok=True)

    @property
    def ports(self) -> dict[str, Port]:
        """The ports in the table, by id."""
        with self._lock:
            return {each: entry.port for each, entry in self._entries.items()}

    def start(self) -> None:
        """Load the files of ports with an interface."""
        for path in sorted(self._directory.iterdir()):
            if path.is_file() and uuid_of(path.name) != NIL:
                try:
                    self.add(path.read_text(), check=True, write=False)
                except Refused as refused:
                    LOG.info("Port file %s is passed over: %s", path.name, refused)

    def stop(self) -> None:
        """Stop the sweeps; tables are lost, files and data plane stay."""
        with self._lock:
            for sweep in self._sweeps:
                sweep.cancel()
            self._sweeps.clear()

    def add(self, body: str, *, check: bool = False, write: bool = True) -> None:
        """Add a port or an array of ports, posted or read from a file.

        Args:
            body: JSON.
            check: refuse a port without an interface.
            write: keep the port in a file.

        Raises:
            Refused: it is not taken; not raised for what is wrong within an array.
        """
        said = _json(body)
        with self._lock:
            if isinstance(said, dict):
                self._add(Port.parse(said, exists=self._exists if check else None), write=write)
                return
            with suppress(Refused):
                for port in [_element(each, body) for each in said]:
                    self._add(port, write=write)

    def delete(self, uuid: str) -> None:
        """Delete a port with the file; an unknown port is no error."""
        with self._lock:
            entry = self._entries.pop(uuid, None)
            if entry:
                self._tell(self._data_plane.detach, entry.port)
            with suppress(OSError):
                (self._directory / uuid).unlink()

    def enable(self, uuid: str, *, enabled: bool) -> None:
        """Enable or disable a port of another host's hypervisor.

        Raises:
            Refused: there is no such port, or it is of another type.
        """
        with self._lock:
            entry = self._entries.get(uuid)
            if entry is None:
                raise Refused(f"Port Not found {uuid}")
            if entry.port.type != REMOTE:
                raise Refused(f"Incorrect Port type for {uuid}")
            if entry.port.link_state != int(enabled):
                entry.port = replace(entry.port, link_state=int(enabled))
                with suppress(OSError):
                    (self._directory / uuid).write_text(entry.port.as_file(_now()))

    def sync(self) -> None:
        """Begin a round: ports not announced again in time are removed."""
        with self._lock:
            self._version += 1
            sweep = threading.Timer(self._stale_seconds, self._sweep, (self._version,))
            sweep.daemon = True
            self._sweeps.append(sweep)
            sweep.start()

    def shown(self, uuid: str) -> dict[str, Any] | None:
        """Show a port with the control node's part; None until the control node has answered."""
        with self._lock:
            entry = self._entries.get(uuid)
            ipams = self._data_plane.ipams(entry.port.vn_id) if entry else None
        if entry is None or not ipams:
            return None
        addresses = _with_ipam(entry.port, ipams)
        return {**_shown(entry.port), **addresses} if addresses else None

    def _add(self, port: Port, *, write: bool) -> None:
        if write and not self._write(port):
            return
        entry = self._entries.get(port.id)
        if entry and entry.port.instance_id != port.instance_id:
            self._tell(self._data_plane.detach, entry.port)
            entry = None
        if entry is None:
            entry = self._entries[port.id] = Entry(port, self._version)
        entry.version = self._version
        self._tell(self._data_plane.attach, entry.port)

    def _write(self, port: Port) -> bool:
        path = self._directory / port.id
        if path.exists():
            return True
        try:
            path.write_text(port.as_file(_now()))
        except OSError as error:
            LOG.warning("Cannot open file %s for writing: %s", path, error)
            return False
        return True

    def _sweep(self, version: int) -> None:
        with self._lock:
            for uuid, entry in list(self._entries.items()):
                if entry.port.type != NAMESPACE and entry.version < version:
                    LOG.info("Port %s was not announced again and is removed", uuid)
                    self.delete(uuid)

    def _tell(self, change: Callable[[Port], None], port: Port) -> None:
        try:
            change(port)
        except Exception as error:
            LOG.exception("Port %s of interface %s", port.id, port.system_name)
            self.troubles.append(f"{port.system_name}: {error}")


def _json(body: str) -> Any:
    try:
        said = json.loads(body)
    except ValueError as error:
        raise Refused(f"Invalid Json string ==> {body}") from error
    if not isinstance(said, dict | list):
        raise Refused(f"Unexpected Json string ==> {body}")
    return said


def _element(said: Any, body: str) -> Port:
    if not isinstance(said, dict):
        raise Refused(f"Json Array has invalid element ==> {body}")
    return Port.parse(said)


def _shown(port: Port) -> dict[str, Any]:
    return {
        "id": port.id,
        "instance-id": port.instance_id,
        "vn-id": port.vn_id,
        "vm-project-id": port.project_id,
        "mac-address": port.mac,
        "system-name": port.system_name,
        "rx-vlan-id": port.rx_vlan,
        "tx-vlan-id": port.tx_vlan,
        "vhostuser-mode": port.vhostuser_mode,
        "author": AUTHOR,
        "time": _now(),
    }


def _with_ipam(port: Port, ipams: list[Ipam]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for ipam in ipams:
        network = ipaddress.ip_network(ipam.prefix)
        if ipaddress.ip_address(port.ip4) in network:
            found |= {"ip-address": port.ip4, "plen": network.prefixlen}
            found |= {"dns-server": ipam.dns, "gateway": ipam.gateway}
        if ipaddress.ip_address(port.ip6) in network:
            found |= {"v6-ip-address": port.ip6}
            found |= {"v6-dns-server": ipam.dns, "v6-gateway": ipam.gateway}
    return found


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%b-%d %H:%M:%S.%f")
