# SPDX-License-Identifier: Apache-2.0
"""``up``: from any state to a ready cloud."""

import dataclasses
import threading
from collections.abc import Callable, Iterable
from functools import partial

from novadocker.cloud import down
from novadocker.cloud.clients import environment as clients
from novadocker.cloud.config.common import Common
from novadocker.cloud.dashboard import environment
from novadocker.cloud.layout import credentials, directories, settings
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.layout.settings import CONTRAIL, OVN, OVS
from novadocker.cloud.machine import criu, packages, ports, processes
from novadocker.cloud.seed import (
    bootstrap,
    dashboard,
    database,
    identity,
    orchestration,
    schema,
    volumes,
)
from novadocker.cloud.steps import Look, Report, Step, perform, timed
from novadocker.cloud.storage import environment as cinder_environment
from novadocker.cloud.storage import share
from novadocker.cloud.supervision import services as service_table
from novadocker.cloud.supervision import starting, supervisor
from novadocker.cloud.supervision.service import Service
from novadocker.cloud.underlay import cables, engine, libvirt, opensdn, ovn, switch


def up(layout: Layout, report: Report, look: Look) -> None:
    """Make and start everything missing; a running cloud is left alone."""
    layout.check_lengths()
    timed(report, "packages", partial(packages.ensure, _programs(layout)))
    timed(report, "criu", criu.ensure)
    if layout.settings.cinder:  # first, since what is configured names its programs
        timed(report, "cinder", cinder_environment.ensure)
    if not supervisor.is_running(layout):
        timed(report, "leftovers", partial(down.sweep, layout))
    ports.check(layout)
    if layout.settings.network != CONTRAIL:
        switch.check_datapath(layout)
        switch.check_public_network(layout)
    common = _write_everything(layout)
    services = service_table.table(common)
    _take_over(layout, services)
    perform(_steps(common, services), report, look)


def _programs(layout: Layout) -> dict[str, str]:
    more = {CONTRAIL: opensdn.PROGRAMS, OVS: packages.OF_NEUTRON_AGENTS}
    storage = share.PROGRAMS if layout.settings.cinder else {}
    machines = libvirt.PROGRAMS if any(host.has_machines for host in layout.hosts) else {}
    networks = more.get(layout.settings.network, {})
    return {**packages.PROGRAMS, **networks, **storage, **machines}


def _write_everything(layout: Layout) -> Common:
    settings.store(layout.state, layout.settings)
    directories.make(layout)
    common = Common(layout, credentials.load_or_make(layout.state / "credentials.json"))
    identity.write_clouds(common)
    for service in service_table.table(common):
        for directory in service.directories:
            directory.mkdir(parents=True, exist_ok=True)
        for path, content in service.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return common


def _take_over(layout: Layout, services: Iterable[Service]) -> None:
    path = supervisor.config_file(layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(supervisor.configuration(layout, services))
    supervisor.ensure_running(layout)
    supervisor.apply(layout)


def _steps(common: Common, services: Iterable[Service]) -> list[Step]:
    layout = common.layout
    steps = [_starting(layout, service) for service in services]
    steps += _preparations(common)
    for host in layout.hosts:
        steps += _host_preparations(layout, host)
    steps += _first_contents(layout)
    return steps


def steps_of_host(layout: Layout, host: ComputeHost) -> list[Step]:
    """Return the steps to start a host of a running cloud."""
    common = _write_everything(layout)
    services = service_table.of_host(common, host)
    steps = [_starting(layout, service) for service in services]
    steps += _host_preparations(layout, host)
    known = {step.name for step in steps}
    # What the whole cloud has once is there already.
    return [
        dataclasses.replace(step, after=tuple(name for name in step.after if name in known))
        for step in steps
    ]


def _starting(layout: Layout, service: Service) -> Step:
    return Step(service.name, partial(starting.start, layout, service), service.after)


def _preparations(common: Common) -> list[Step]:
    layout, passwords = common.layout, common.credentials
    keystone = schema.keystone(layout, passwords)
    return [
        _step("mariadb-tables", partial(database.install, layout)),
        _step("databases", partial(database.create, layout, passwords), "mariadb"),
        _step("keystone-schema", partial(schema.ensure, layout, keystone), "databases"),
        *(
            _step(f"{other.name}-schema", partial(schema.ensure, layout, other), "databases")
            for other in schema.others(layout)
        ),
        _step("identity", partial(identity.ensure, common), "keystone"),
        *(_ovn_preparations(layout) if layout.settings.network == OVN else ()),
        *([_step("hubs", partial(cables.make_hubs, layout))] if layout.cabling else ()),
        _step("clients", partial(clients.ensure, layout)),
        _orchestration(common),
        *_volumes(common),
        *(_dashboard_preparations(layout) if layout.settings.horizon else ()),
    ]


def _orchestration(common: Common) -> Step:
    if common.layout.settings.heat:
        return _step("orchestration", partial(orchestration.ensure, common), "identity")
    return _step("orchestration", partial(orchestration.remove, common.layout), "identity")


def _volumes(common: Common) -> list[Step]:
    layout = common.layout
    if not layout.settings.cinder:
        return [_step("volumes", partial(volumes.remove, layout), "identity")]
    return [
        _step("share", partial(share.ensure, layout)),
        _step("volumes", partial(volumes.ensure, common), "identity"),
        _step("volume-types", partial(volumes.ensure_types, layout), "volumes", "cinder-api"),
    ]


def _dashboard_preparations(layout: Layout) -> list[Step]:
    return [
        _step("dashboard", environment.ensure),
        _step("definitions", partial(dashboard.ensure, layout), "glance", "identity"),
    ]


def _ovn_preparations(layout: Layout) -> list[Step]:
    return [
        _step("ovn-databases", partial(ovn.create_central_databases, layout)),
        _step("ovn-rows", partial(ovn.initialize_central, layout), "ovn-nb", "ovn-sb"),
    ]


def _host_preparations(layout: Layout, host: ComputeHost) -> list[Step]:
    steps = [_opening(layout, host)]
    if not host.real:
        return steps
    _prepare_engine(layout, host)
    if host.has_machines:
        steps.append(_step("libvirt-binding", partial(libvirt.link_binding, layout.venv)))
    if layout.settings.network != CONTRAIL:
        steps += _switch_preparations(layout, host)
    return steps


def _switch_preparations(layout: Layout, host: ComputeHost) -> list[Step]:
    datapath = switch.datapath(layout)
    join = partial(ovn.join, layout, host, datapath)
    if layout.settings.network == OVS:
        identity = {"system-id": host.name, "hostname": host.name}
        join = partial(switch.configure, host, datapath, identity)
    address = partial(switch.give_addresses, layout, host, datapath)
    cabled = (host.service("cables"),) if host.cabling else ()
    return [
        *(_step(name, partial(cables.connect, host), "hubs") for name in cabled),
        _step(host.service("switch-database"), partial(switch.create_switch_database, host)),
        _step(host.service("join"), join, host.service("ovsdb"), *cabled),
        _step(host.service("address"), address, host.service("vswitchd")),
    ]


def _prepare_engine(layout: Layout, host: ComputeHost) -> None:
    if not processes.pids_named(layout, "dockerd", host.name):
        engine.prepare(host.engine)


def _opening(layout: Layout, host: ComputeHost) -> Step:
    # Closed until its zone is known: a server of anybody's could land on it in between.
    action = partial(bootstrap.open_host, layout, host.name, host.zone)
    return _step(host.service("open"), action, host.service("nova-compute"))


def _first_contents(layout: Layout) -> list[Step]:
    flavors = _step("flavors", partial(bootstrap.ensure_flavors, layout), "nova-api", "identity")
    tenant = partial(bootstrap.ensure_tenant, layout)
    if layout.settings.network == CONTRAIL:
        return [flavors, _step("tenant", tenant, "neutron", "identity", "nova-api")]
    return [
        flavors,
        _step(
            "public-network",
            partial(bootstrap.ensure_public_network, layout),
            "neutron",
            "identity",
        ),
        _step("tenant", tenant, "public-network", "nova-api"),
    ]


def _step(name: str, action: Callable[[], object], *after: str) -> Step:
    def ignoring_abort(_abort: threading.Event) -> None:
        action()

    return Step(name, ignoring_abort, after)
