# SPDX-License-Identifier: Apache-2.0
"""The table of services: what runs, after what, and how to ask whether it is ready."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import novadocker
from novadocker.cloud.config import glance, keystone, mariadb, neutron, nova, placement, rabbitmq
from novadocker.cloud.config.common import Common
from novadocker.cloud.contents import database
from novadocker.cloud.host import ComputeHost
from novadocker.cloud.layout import LOOPBACK, Layout
from novadocker.cloud.machine.command import Command
from novadocker.cloud.supervision import readiness
from novadocker.cloud.underlay import engine, ovn, switch

_SOURCES = Path(novadocker.__file__).parent


@dataclass(frozen=True)
class Service:
    """One supervised process.

    Args:
        command: what to run.
        after: the names of the steps that must be done before.
        ready: raises unless the service answers.
        files: its configuration; a change of it means a restart.
        sources: our own code that it runs; as above.
        directories: what must exist before it starts.
        port: where it listens, for tables.
        wave: when it is stopped: all of a wave at once, lower waves first.
        patience: the seconds that it gets to end by itself.
        farewell: asks it to end in its own way, before it is stopped.
    """

    command: Command
    after: tuple[str, ...]
    ready: Callable[[], None]
    files: Mapping[Path, str] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()
    directories: tuple[Path, ...] = ()
    port: int | None = None
    wave: int = 1
    patience: int = 5
    farewell: Callable[[], object] | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.command.name

    @property
    def fingerprint(self) -> str:
        """What changes when its configuration or our part of its code does."""
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            digest.update(f"{path}\n{content}\n".encode())
        for path in self.sources:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


def table(common: Common) -> tuple[Service, ...]:
    """Return all services of a cloud."""
    hosts = (service for host in common.layout.hosts for service in _host(common, host))
    return (*_foundation(common), *_apis(common), *_nova(common), *hosts)


def _foundation(common: Common) -> Iterable[Service]:
    layout = common.layout
    yield Service(
        database.command(layout),
        after=("mariadb-tables",),
        ready=lambda: database.check(layout),
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
        ready=lambda: readiness.listening(layout.ports.epmd),
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
        ready=lambda: readiness.broker(common),
        files=rabbitmq.files(layout, common.credentials),
        directories=(rabbitmq.data_directory(layout),),
        port=layout.ports.rabbitmq,
        wave=3,
        patience=8,
    )
    northbound, southbound, northd = ovn.central_commands(layout)
    for command, connection in (
        (northbound, layout.northbound),
        (southbound, layout.southbound),
    ):
        yield Service(
            command,
            after=("ovn-databases",),
            ready=lambda connection=connection: readiness.unix_socket(connection),  # type: ignore[misc]
            wave=4,
        )
    yield Service(
        northd,
        after=("ovn-rows",),
        ready=lambda: readiness.unix_socket(f"unix:{ovn.northd_control(layout)}"),
        wave=3,
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
        ("neutron-schema", "ovn-rows", "rabbitmq"),
        OS_NEUTRON_CONFIG_FILES="neutron.conf;ml2_conf.ini",
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
        ready=lambda: readiness.http(layout.url(port)),
        files=files,
        sources=(_SOURCES / "cloud/programs/wsgi.py",),
        port=port,
    )


def _wsgi(
    layout: Layout, name: str, module: str, port: int, environment: Mapping[str, str]
) -> Command:
    arguments = (module, str(port), "--tmp", str(layout.tmp))
    return Command(name, (*_module(layout, "wsgi"), *arguments), environment)


def _module(layout: Layout, name: str) -> tuple[str, ...]:
    return (layout.program("python"), "-m", f"novadocker.cloud.programs.{name}")


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
            ready=lambda port=port: readiness.http(layout.url(port)),  # type: ignore[misc]
            files=files,
            sources=(_SOURCES / "cloud/programs/wsgi.py",),
            port=port,
        )
    option = _config_file(layout, nova.CONTROL)
    for name, queue in (("nova-conductor", "conductor"), ("nova-scheduler", "scheduler")):
        yield Service(
            Command(name, (*_module(layout, "nova_worker"), name, *option)),
            after=after,
            ready=lambda queue=queue: readiness.consumer(common, queue),  # type: ignore[misc]
            files=files,
        )
    yield Service(
        Command("nova-serialproxy", (layout.program("nova-serialproxy"), *option)),
        after=after,
        ready=lambda: readiness.listening(ports.serial_proxy),
        files=files,
        port=ports.serial_proxy,
    )


def _host(common: Common, host: ComputeHost) -> Iterable[Service]:
    if host.real:
        yield from _switch(common.layout, host)
        yield from _engine(host)
        yield _metadata_agent(common, host)
    yield _compute(common, host)


def _switch(layout: Layout, host: ComputeHost) -> Iterable[Service]:
    ovsdb, vswitchd, controller = ovn.host_commands(host)
    yield Service(
        ovsdb,
        after=(host.service("switch-database"),),
        ready=lambda: readiness.unix_socket(f"unix:{host.switch_socket}"),
        wave=4,
    )
    yield Service(
        vswitchd,
        after=(host.service("join"),),
        ready=lambda: readiness.unix_socket(f"unix:{host.vswitchd_control}"),
        wave=3,
        farewell=lambda: switch.remove_datapath(host),
    )
    yield Service(
        controller,
        after=(host.service("address"), "ovn-rows"),
        ready=lambda: readiness.chassis(layout, host),
        wave=2,
    )


def _engine(host: ComputeHost) -> Iterable[Service]:
    containerd, dockerd = (
        Command(host.service(command.name), command.argv, command.env)
        for command in engine.commands(host.engine)
    )
    files = engine.configuration(host.engine)
    yield Service(
        containerd,
        after=(),
        ready=lambda: readiness.unix_socket(f"unix:{host.engine.containerd_socket}"),
        files=files,
        wave=4,
    )
    yield Service(
        dockerd,
        after=(containerd.name,),
        ready=lambda: readiness.engine(host.engine.url),
        files=files,
        wave=3,
    )


def _metadata_agent(common: Common, host: ComputeHost) -> Service:
    name = host.service("ovn-metadata")
    conf = common.layout.conf(name) / "metadata.conf"
    return Service(
        Command(
            name,
            (*_module(common.layout, "metadata_agent"), "--config-file", str(conf)),
        ),
        after=(host.service("ovn-controller"),),
        ready=lambda: readiness.metadata_agent(common.layout, host),
        files=neutron.agent_files(common, host),
        directories=(host.metadata_state,),
    )


def _compute(common: Common, host: ComputeHost) -> Service:
    layout = common.layout
    name = host.service("nova-compute")
    machinery = (host.service("dockerd"), host.service("vswitchd")) if host.real else ()
    return Service(
        Command(name, (*_compute_program(layout, host), *_config_file(layout, name))),
        after=("placement", "nova-conductor", *machinery),
        ready=lambda: readiness.compute(common, host.name),
        files=nova.compute_files(common, host),
        directories=(host.nova_state / "instances",),
        sources=_driver_sources() if host.real else (),
    )


def _compute_program(layout: Layout, host: ComputeHost) -> tuple[str, ...]:
    if host.real:
        return (layout.program("nova-compute"),)
    return (*_module(layout, "fake_host"), layout.hosts[0].name)


def _config_file(layout: Layout, service: str) -> tuple[str, str]:
    return ("--config-file", str(layout.conf(service) / "nova.conf"))


def _driver_sources() -> tuple[Path, ...]:
    below = (_SOURCES / "virt", _SOURCES / "gate")
    return tuple(sorted(path for root in below for path in root.rglob("*.py")))
