# SPDX-License-Identifier: Apache-2.0
"""Other listeners on a cloud's ports."""

import dataclasses
from collections.abc import Iterable

import psutil

from novadocker.cloud.errors import PortsTaken
from novadocker.cloud.layout.layout import Layout, Ports
from novadocker.cloud.machine import processes


def check(layout: Layout) -> None:
    """Refuse to go on while somebody else listens on a port of ours."""
    ours = {process.pid for process in processes.processes(layout)}
    listeners = {
        connection.laddr.port: connection.pid
        for connection in psutil.net_connections("inet")
        if connection.laddr
        and connection.status == psutil.CONN_LISTEN
        and connection.pid not in ours
    }
    taken = clashes(layout.ports, listeners)
    if taken:
        owners = ", ".join(f"{port} ({name}) by {_owner(pid)}" for port, name, pid in taken)
        raise PortsTaken(owners=owners)


def clashes(ports: Ports, listeners: dict[int, int | None]) -> list[tuple[int, str, int | None]]:
    """Return number, name and foreign process id of each port in use."""
    wanted: Iterable[tuple[str, int]] = dataclasses.asdict(ports).items()
    return [(port, name, listeners[port]) for name, port in wanted if port in listeners]


def _owner(pid: int | None) -> str:
    if pid is None:
        return "a process of another user or namespace"
    try:
        return f"process {pid} ({psutil.Process(pid).name()})"
    except psutil.NoSuchProcess:
        return f"process {pid}"
