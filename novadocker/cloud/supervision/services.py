# SPDX-License-Identifier: Apache-2.0
"""Table of all services of a cloud."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import novadocker
from novadocker.cloud.config import glance, keystone, mariadb, neutron, nova, placement, rabbitmq
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import LOOPBACK, Layout
from novadocker.cloud.machine.command import Command
from novadocker.cloud.seed import database
from novadocker.cloud.supervision import (
    dashboard,
    hosts,
    machines,
    networks,
    orchestration,
    readiness,
    volumes,
)
from novadocker.cloud.supervision.service import Service, program_words
from novadocker.cloud.underlay import engine

_SOURCES = Path(novadocker.__file__).parent


def table(common: Common) -> tuple[Service, ...]:
    """Return all services of a cloud."""
    of_hosts = (service for host in common.layout.hosts for service in of_host(common, host))
    central = networks.central(common)
    return (
        *_foundation(common),
        *hosts.control_plane(common),
        *central,
        *_apis(common),
        *_nova(common),
        *of_hosts,
        *orchestration.services(common),
        *volumes.services(common),
        *dashboard.services(common),
    )


def _foundation(common: Common) -> Iterable[Service]:
    layout = common.layout
    yield Service(
        database.command(layout),
        after=("mariadb-tables",),
        ready=partial(database.check, layout),
        files=mariadb.files(layout),
        port=layout.ports.mariadb,
        wave=3,
        patience=8,
    )
    yield Service(
        Command(
            "epmd",
            ("epmd", "-address", LOOPBACK, "-port", str(layout.ports.epmd)),
        ),
        after=(),
        ready=partial(readiness.listening, layout.ports.epmd),
        port=layout.ports.epmd,
        wave=4,
    )
    yield Service(
        Command(
            "rabbitmq",
            ("/usr/lib/rabbitmq/bin/rabbitmq-server",),
            rabbitmq.environment(layout),
        ),
        after=("epmd",),
        ready=partial(readiness.broker, common),
        files=rabbitmq.files(layout, common.credentials),
        directories=(rabbitmq.data_directory(layout),),
        port=layout.ports.rabbitmq,
        wave=3,
        patience=8,
    )


def _apis(common: Common) -> Iterable[Service]:
    layout, ports = common.layout, common.layout.ports
    yield _api(layout, "keystone", ports.keystone, keystone.files(common), ("keystone-schema",))
    yield _api(layout, "glance", ports.glance, glance.files(common), ("glance-schema",))
    yield _api(
        layout,
        "placement",
        ports.placement,
        placement.files(common),
        ("placement-schema",),
    )
    yield _api(
        layout,
        "neutron",
        ports.neutron,
        neutron.files(common),
        ("neutron-schema", "rabbitmq", *networks.before_neutron(layout)),
        **networks.neutron_environment(layout),
    )


def _api(
    layout: Layout,
    name: str,
    port: int,
    files: Mapping[Path, str],
    after: tuple[str, ...],
    **environment: str,
) -> Service:
    directory = {f"OS_{name.upper()}_CONFIG_DIR": str(layout.conf(name))}
    return Service(
        _wsgi(layout, name, f"{name}.wsgi.api", port, {**directory, **environment}),
        after=after,
        ready=partial(readiness.http, layout.url(port)),
        files=files,
        sources=(_SOURCES / "cloud/programs/wsgi.py",),
        port=port,
    )


def _wsgi(
    layout: Layout, name: str, module: str, port: int, environment: Mapping[str, str]
) -> Command:
    arguments = (module, str(port), "--tmp", str(layout.tmp))
    return Command(name, (*program_words(layout, "wsgi"), *arguments), environment)


def _nova(common: Common) -> Iterable[Service]:
    layout, ports = common.layout, common.layout.ports
    files = nova.files(common)
    # Without Placement in the catalog a Nova process never tries it again.
    after = ("nova-schema", "identity", "rabbitmq")
    directory = {"OS_NOVA_CONFIG_DIR": str(layout.conf(nova.CONTROL))}
    for name, module, port in (
        ("nova-api", "nova.wsgi.osapi_compute", ports.nova),
        ("nova-metadata", "nova.wsgi.metadata", ports.nova_metadata),
    ):
        yield Service(
            _wsgi(layout, name, module, port, directory),
            after=after,
            ready=partial(readiness.http, layout.url(port)),
            files=files,
            sources=(_SOURCES / "cloud/programs/wsgi.py",),
            port=port,
        )
    option = _config_file(layout, nova.CONTROL)
    for name, queue in (("nova-conductor", "conductor"), ("nova-scheduler", "scheduler")):
        yield Service(
            Command(name, (*program_words(layout, "nova_worker"), name, *option)),
            after=after,
            ready=partial(readiness.consumer, common, queue),
            files=files,
        )
    yield Service(
        Command("nova-serialproxy", (layout.program("nova-serialproxy"), *option)),
        after=after,
        ready=partial(readiness.listening, ports.serial_proxy),
        files=files,
        port=ports.serial_proxy,
    )


def of_host(common: Common, host: ComputeHost) -> Iterable[Service]:
    """Yield the services of one compute host."""
    if host.real:
        yield from hosts.on_host(common, host)
        # In the machine's own network: containers have theirs, and are reached by descriptors.
        yield from (hosts.owned(host, service) for service in _engine(host))
        yield from (hosts.owned(host, service) for service in machines.on_host(host))
        yield from (hosts.inside(host, each) for each in networks.on_host(common, host))
    yield hosts.inside(host, _compute(common, host))


def _engine(host: ComputeHost) -> Iterable[Service]:
    containerd, dockerd = (
        Command(host.service(command.name), command.argv, command.env)
        for command in engine.commands(host.engine)
    )
    files = engine.configuration(host.engine)
    yield Service(
        containerd,
        after=(),
        ready=partial(readiness.unix_socket, f"unix:{host.engine.containerd_socket}"),
        files=files,
        wave=4,
    )
    yield Service(
        dockerd,
        after=(containerd.name,),
        ready=partial(readiness.engine, host.engine.url),
        files=files,
        wave=3,
    )


def _compute(common: Common, host: ComputeHost) -> Service:
    layout = common.layout
    name = host.service("nova-compute")
    wiring = networks.before_compute(layout, host)
    engines = (host.service("dockerd"), *machines.before_compute(host))
    machinery = (*engines, *wiring) if host.real else ()
    return Service(
        Command(name, (*_compute_program(layout, host), *_config_file(layout, name))),
        after=("placement", "nova-conductor", *machinery),
        ready=partial(readiness.compute, common, host.name),
        files=nova.compute_files(common, host),
        directories=(host.nova_state / "instances",),
        sources=_driver_sources() if host.real else (),
    )


def _compute_program(layout: Layout, host: ComputeHost) -> tuple[str, ...]:
    if host.real:
        return (layout.program("nova-compute"),)
    return (*program_words(layout, "fake_host"), layout.hosts[0].name)


def _config_file(layout: Layout, service: str) -> tuple[str, str]:
    return ("--config-file", str(layout.conf(service) / "nova.conf"))


def _driver_sources() -> tuple[Path, ...]:
    below = tuple(_SOURCES / name for name in ("archive", "gate", "policy", "virt"))
    modules = [path for root in below for path in root.rglob("*.py")]
    return tuple(sorted([_SOURCES / "errors.py", *modules]))
