# SPDX-License-Identifier: Apache-2.0
"""Compute host taken away, as by an operator, a power cut or a partition, and back."""

import signal
from functools import partial

from novadocker.cloud import down, up
from novadocker.cloud.config.common import Common
from novadocker.cloud.errors import HostBusy
from novadocker.cloud.layout import credentials
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine import processes, remains_of_cloud
from novadocker.cloud.steps import Report, perform, timed
from novadocker.cloud.supervision import services as service_table
from novadocker.cloud.supervision import supervisor
from novadocker.cloud.supervision.service import Service
from novadocker.cloud.underlay import cables


def start(layout: Layout, name: str, report: Report) -> None:
    """Bring a host back: plug the cables in, and start all services."""
    host = _host(layout, name)
    perform(up.steps_of_host(layout, host), report)


def stop(layout: Layout, name: str, report: Report) -> None:
    """Shut a host down in order, as an operator does for maintenance."""
    host = _host(layout, name)
    down.stop_in_waves(layout, _services(layout, host), [host], report)
    timed(report, "leftovers", partial(down.sweep_host, layout, host))


def kill(layout: Layout, name: str, report: Report) -> None:
    """End a host at once, as a power cut does: no process has time for anything."""
    host = _host(layout, name)
    timed(report, "cables", partial(cables.pull, host))
    timed(report, "processes", partial(_kill, layout, host))
    timed(report, "leftovers", partial(down.sweep_host, layout, host))


def cut(layout: Layout, name: str, report: Report) -> None:
    """Pull a host's cables: the host runs on, and reaches nobody."""
    host = _host(layout, name)
    if host.namespace is None:
        reason = "it is on the same network as the control plane; another host can be"
        raise HostBusy(name=name, act="cut off", reason=reason)
    timed(report, "cables", partial(cables.pull, host))


def _host(layout: Layout, name: str) -> ComputeHost:
    host = layout.host(name)
    if not host.real:
        raise HostBusy(name=name, act="taken away", reason="it has an engine in name only")
    if not supervisor.is_running(layout):
        raise HostBusy(name=name, act="changed", reason="the cloud is down; 'up' starts it")
    return host


def _services(layout: Layout, host: ComputeHost) -> list[Service]:
    passwords = credentials.load_or_make(layout.state / "credentials.json")
    return list(service_table.of_host(Common(layout, passwords), host))


def _kill(layout: Layout, host: ComputeHost) -> None:
    found = list(processes.processes(layout, host.name))
    # Frozen first: none sees another's end, and the supervisor is told before it sees any.
    remains_of_cloud.send(found, signal.SIGSTOP)
    supervisor.dismiss(layout, [service.name for service in _services(layout, host)])
    remains_of_cloud.kill(found)
