# SPDX-License-Identifier: Apache-2.0
"""``down`` and ``purge``: everything of ours goes, nothing of anybody else's."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from operator import attrgetter

import tenacity
from pyroute2 import IPRoute, netns

from novadocker.cloud.config.common import Common
from novadocker.cloud.errors import CommandFailed, StateRefused
from novadocker.cloud.layout import credentials, settings
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine import processes, remains_of_cloud
from novadocker.cloud.steps import Report, timed
from novadocker.cloud.storage import share
from novadocker.cloud.supervision import services as service_table
from novadocker.cloud.supervision import supervisor
from novadocker.cloud.supervision.service import Service
from novadocker.cloud.underlay import cables, engine, libvirt, opensdn, switch

# Namespaces of Neutron's agents end with the network's or router's id, of which they keep a file.
_NAMESPACES = {
    "ovnmeta-": "ovn-metadata-proxy/*.conf",
    "qdhcp-": "dhcp/*",
    "qrouter-": "ns-metadata-proxy/*.conf",
}
_SUPERVISOR_SECONDS = 5
# In this wave the switch and the engine end; servers must have ended before.
_WAVE_AFTER_SERVERS = 3


def down(layout: Layout, report: Report) -> None:
    """Stop all services in order, by force where a service does not obey."""
    if supervisor.is_running(layout):
        stop_in_waves(layout, _services(layout), layout.hosts, report)
        timed(report, "supervisor", partial(_end_supervisor, layout))
    timed(report, "leftovers", partial(sweep, layout))


def stop_in_waves(
    layout: Layout, services: Iterable[Service], hosts: Iterable[ComputeHost], report: Report
) -> None:
    """Stop services in the order of waves, and the servers of hosts in between."""
    ordered = sorted(services, key=attrgetter("wave"))
    for wave, group in groupby(ordered, attrgetter("wave")):
        if wave == _WAVE_AFTER_SERVERS:
            timed(report, "servers", partial(_end_servers, hosts))
        timed(report, f"services, wave {wave}", partial(_stop_all, layout, list(group)))


def sweep(layout: Layout) -> None:
    """Remove the remains of a cloud after the supervisor's end, orderly or not."""
    remains_of_cloud.kill(processes.processes(layout))
    for host in layout.hosts:
        if host.real:
            sweep_host(layout, host)
    cables.remove_hubs(layout)
    share.sweep(layout)
    remains_of_cloud.unmount_below(layout.state)
    # Sockets and process ids of the dead; their owners make new ones.
    remains_of_cloud.remove_tree(layout.run)
    remains_of_cloud.remove_tree(layout.tmp)


def sweep_host(layout: Layout, host: ComputeHost) -> None:
    """Remove the remains of a host after the services' end, orderly or not."""
    # Proxies for metadata run on without the agent that made them.
    remains_of_cloud.kill(processes.processes(layout, host.name))
    engine.sweep(host.engine)
    if host.has_machines:
        libvirt.sweep(host)
    _remove_namespaces(layout, host)
    switch.remove_devices(host)
    cables.disconnect(host)
    remains_of_cloud.unmount_below(host.run)
    remains_of_cloud.remove_tree(host.run)


def purge(layout: Layout, report: Report) -> None:
    """Stop all and remove the state."""
    if not settings.is_ours(layout.state):
        raise StateRefused(path=layout.state, reason="it is not a cloud's state")
    down(layout, report)
    timed(report, "state", partial(remains_of_cloud.remove_tree, layout.state))


def _services(layout: Layout) -> list[Service]:
    passwords = credentials.load_or_make(layout.state / "credentials.json")
    return list(service_table.table(Common(layout, passwords)))


def _stop_all(layout: Layout, services: Iterable[Service]) -> None:
    with ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(partial(_stop, layout), services))


def _stop(layout: Layout, service: Service) -> None:
    if not supervisor.process(layout, service.name).alive:
        return
    if service.farewell:
        try:
            service.farewell()
        except CommandFailed:
            # It is not well enough to obey: then it is stopped like any other.
            supervisor.stop(layout, service.name)
            return
    supervisor.stop(layout, service.name)


def _end_servers(hosts: Iterable[ComputeHost]) -> None:
    for host in hosts:
        remains_of_cloud.end_cgroup(host.engine.cgroup)


def _end_supervisor(layout: Layout) -> None:
    supervisor.shut_down(layout)
    _wait_until_gone(layout)


@tenacity.retry(
    retry=tenacity.retry_if_result(bool),
    stop=tenacity.stop_after_delay(_SUPERVISOR_SECONDS),
    wait=tenacity.wait_fixed(0.1),
    # Then it is killed with the leftovers.
    retry_error_callback=lambda _: None,
)
def _wait_until_gone(layout: Layout) -> bool:
    return supervisor.is_running(layout)


def _remove_namespaces(layout: Layout, host: ComputeHost) -> None:
    ours = {
        f"{host.namespace_prefix}{prefix}{path.stem}"
        for prefix, pattern in _NAMESPACES.items()
        for path in host.metadata_state.glob(pattern)
    }
    for name in (ours | opensdn.namespaces(layout, host)) & set(netns.listnetns()):
        netns.remove(name)
    with IPRoute() as route:
        for name in opensdn.devices(layout):
            for index in route.link_lookup(ifname=name):
                route.link("del", index=index)
