# SPDX-License-Identifier: Apache-2.0
"""Table of running services, with a row for processes of no service."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from novadocker.cloud.config.common import Common
from novadocker.cloud.layout import credentials
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine import processes
from novadocker.cloud.supervision import services as service_table
from novadocker.cloud.supervision import supervisor
from novadocker.cloud.underlay import cables

_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Row:
    """Line of the table."""

    name: str
    state: str
    pid: int
    megabytes: int
    port: int | None

    @property
    def running(self) -> bool:
        """Tell that the service runs."""
        return self.state == "RUNNING"


def table(layout: Layout) -> list[Row]:
    """Return a row for each service, children counted in."""
    known = (
        {process.name: process for process in supervisor.processes(layout)}
        if supervisor.is_running(layout)
        else {}
    )
    memory = _memory(layout)
    rows = []
    passwords = credentials.load_or_make(layout.state / "credentials.json")
    for service in service_table.table(Common(layout, passwords)):
        process = known.get(service.name)
        pid = process.pid if process else 0
        family = _family(pid) & memory.keys()
        used = sum(memory.pop(member) for member in family)
        state = process.state if process else "STOPPED"
        rows.append(Row(service.name, state, pid, used // _MEGABYTE, service.port))
    rows += [
        Row(host.service("cables"), "PULLED", 0, 0, None)
        for host in layout.hosts
        if cables.is_pulled(host)
    ]
    if memory:
        state = "RUNNING" if known else "LEFT OVER"
        rows.append(Row("(supervisor, helpers)", state, 0, sum(memory.values()) // _MEGABYTE, None))
    return rows


def render(rows: Iterable[Row]) -> str:
    """Return the table as text, with the sum of the memory at the end."""
    rows = list(rows)
    lines = [f"{'SERVICE':24} {'STATE':10} {'PID':>8} {'RSS MB':>7} {'PORT':>6}"]
    lines += [
        f"{row.name:24} {row.state:10} {row.pid or '-':>8} {row.megabytes:>7} {row.port or '-':>6}"
        for row in rows
    ]
    lines.append(f"{'':44}{sum(row.megabytes for row in rows):>7}")
    return "\n".join(lines)


def _memory(layout: Layout) -> dict[int, int]:
    memory = {}
    for process in processes.processes(layout):
        try:
            memory[process.pid] = process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return memory


def _family(pid: int) -> set[int]:
    if not pid:
        return set()
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return set()
    return {pid, *(child.pid for child in children)}
