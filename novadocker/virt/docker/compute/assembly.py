# SPDX-License-Identifier: Apache-2.0
"""Assembly of the driver: every part made once, and handed to its users.

Nothing here asks the engine, Neutron or Glance for anything: Nova makes a driver before it
starts the driver. The drivers keep the value and read it; no part looks another one up.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nova.image import glance
from oslo_config import cfg

from novadocker.virt.docker import translation
from novadocker.virt.docker.actions.allowance import Allowance
from novadocker.virt.docker.actions.interfaces import Interfaces
from novadocker.virt.docker.actions.lifecycle import Lifecycle
from novadocker.virt.docker.actions.recovery.recovery import Recovery
from novadocker.virt.docker.actions.rescue import Rescue
from novadocker.virt.docker.actions.resize import Resize
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.actions.snapshot import Snapshots
from novadocker.virt.docker.actions.suspension import Suspension
from novadocker.virt.docker.actions.volumes import VolumeChanges
from novadocker.virt.docker.checkpoint.checkpoints import Checkpoints
from novadocker.virt.docker.compute.allocations import Allocations
from novadocker.virt.docker.compute.availability import Availability
from novadocker.virt.docker.compute.channel import Channel
from novadocker.virt.docker.compute.health import HealthReporter
from novadocker.virt.docker.compute.live.channel import LiveEndpoint
from novadocker.virt.docker.compute.live.handovers import Handovers
from novadocker.virt.docker.compute.live.parts import LiveMoves, live_moves, move_options
from novadocker.virt.docker.compute.networks.ports import Ports
from novadocker.virt.docker.compute.power import Watcher
from novadocker.virt.docker.compute.stale import StaleArrivals
from novadocker.virt.docker.compute.tags import ServerTags, Tags
from novadocker.virt.docker.conf import options
from novadocker.virt.docker.conf.policy_files import bounds_of
from novadocker.virt.docker.conf.values import Options
from novadocker.virt.docker.console import Consoles
from novadocker.virt.docker.container.prober import Prober
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.host.each_server import EachServer
from novadocker.virt.docker.host.inventory import Host
from novadocker.virt.docker.images import Images, PartialLoading, Provenance, Ranges
from novadocker.virt.docker.migration.arrival import Arrivals
from novadocker.virt.docker.migration.departure import Departures
from novadocker.virt.docker.network.audit import NetworkAudit
from novadocker.virt.docker.network.networking import Networking
from novadocker.virt.docker.telemetry.endpoint import Endpoint, EngineHealth
from novadocker.virt.docker.translation.volumes import host_identity
from novadocker.virt.docker.volumes.attachments import Volumes
from novadocker.virt.docker.volumes.connector import Connector
from novadocker.virt.docker.volumes.ephemeral import EphemeralDisks
from novadocker.virt.docker.volumes.records import Records
from novadocker.virt.docker.volumes.values import Trust
from novadocker.virt.docker.wiring import Wiring, backends
from novadocker.virt.nova_types import ImageApi, VirtAPI

GIB = 1024**3


@dataclass(frozen=True)
class Edges:
    """Parts with connections out of this process; tests put doubles in their place.

    Attributes:
        engine: Docker Engine of this host.
        glance: Nova's client of Glance.
        images: images of Glance in the engine.
        provenance: layers that this host has seen in images.
        wiring: joins containers to ports.
        tags: tags of servers in Nova's database.
    """

    engine: Engine
    glance: ImageApi
    images: Images
    provenance: Provenance
    wiring: Wiring
    tags: Tags


@dataclass(frozen=True)
class Parts:
    """Parts of the driver on one host.

    Attributes:
        hostname: name of the compute host in Nova.
        engine: Docker Engine of this host.
        host: inventory and abilities of this host.
        glance: Nova's client of Glance.
        images: images of Glance in the engine.
        wiring: joins containers to ports.
        tags: tags of servers in Nova's database.
        allowance: limits and rights that this host allows.
        ports: ports of instances as Nova records them.
        consoles: serial consoles.
        networking: Nova's network_info applied to containers.
        runner: makes and runs containers.
        lifecycle: boot, start, stop, pause, removal.
        rescue: stand-ins from a rescue image.
        resize: other flavors.
        departures: moves of servers to another host.
        live: moves of running servers.
        handovers: ends handovers that a death has cut off.
        channel: calls between hosts about servers that move.
        stale: containers that abandoned moves brought.
        interfaces: ports that come and go.
        snapshots: images made of servers.
        suspension: suspends and resumes servers.
        checkpoints: memory of suspended servers.
        recovery: repairs after a death of nova-compute.
        repairs: attempts of repairs at the start, one server after another.
        allocations: Placement's allocations of servers whose rebuild is refused.
        audit: periodic repair of networks.
        watcher: tells Nova of containers that ended, froze or thawed.
        availability: keeps the scheduler off a host without an engine.
        health: tells tenants of their images' HEALTHCHECK.
        connector: os-brick.
        volumes: Cinder volumes on this host.
        volume_changes: volumes that come, go and grow.
        metrics: figures for Prometheus.
        ephemeral_disks: files behind the ephemeral disks of servers.
    """

    hostname: str
    engine: Engine
    host: Host
    glance: ImageApi
    images: Images
    wiring: Wiring
    tags: Tags
    allowance: Allowance
    ports: Ports
    consoles: Consoles
    networking: Networking
    runner: Runner
    lifecycle: Lifecycle
    rescue: Rescue
    resize: Resize
    departures: Departures
    live: LiveMoves
    handovers: Handovers
    channel: Channel
    stale: StaleArrivals
    interfaces: Interfaces
    snapshots: Snapshots
    suspension: Suspension
    checkpoints: Checkpoints
    recovery: Recovery
    repairs: EachServer
    allocations: Allocations
    audit: NetworkAudit
    watcher: Watcher
    availability: Availability
    health: HealthReporter
    connector: Connector
    volumes: Volumes
    volume_changes: VolumeChanges
    metrics: Endpoint
    ephemeral_disks: EphemeralDisks


def edges_of(conf: cfg.ConfigOpts) -> Edges:
    """Make the parts with connections out of this process, opened at first use.

    Args:
        conf: configuration of nova-compute, parsed, with our options registered.
    """
    engine, images_api = Engine(translation.connection(conf.docker)), glance.API()
    provenance = Provenance(Path(conf.state_path) / "novadocker" / "images")
    loading = PartialLoading(Ranges(), provenance)
    return Edges(
        engine=engine,
        glance=images_api,
        images=Images(
            engine, images_api, parts=loading, most_bytes=conf.docker.max_image_size * GIB
        ),
        provenance=provenance,
        wiring=Wiring(backends.load(options.vrouter(conf))),
        tags=ServerTags(),
    )


def assemble(conf: cfg.ConfigOpts, virtapi: VirtAPI, edges: Edges | None = None) -> Parts:
    """Make all parts of the driver.

    Args:
        conf: configuration of nova-compute, parsed.
        virtapi: Nova's side, which waits for events.
        edges: parts that reach out of this process; else as ``conf`` says.

    Raises:
        ConfigurationError: a file that an option names cannot be used.
    """
    options.register(conf)
    return _parts(conf, virtapi, edges or edges_of(conf))


def _parts(conf: cfg.ConfigOpts, virtapi: VirtAPI, edges: Edges) -> Parts:
    engine, hostname = edges.engine, str(conf.host)
    settings, (host, allowance) = _options(conf), _allowance(conf, engine)
    ports, networking = _ports(virtapi, edges.wiring), _networking(edges.wiring, settings)
    connector, volumes, disks = _volumes(conf)
    runner = Runner(engine, networking, settings, allowance, volumes, disks)
    rescue = Rescue(engine, edges.images, networking, runner)
    checkpoints, suspension = _suspension(conf, engine, networking, runner, volumes)
    lifecycle = Lifecycle(engine, edges.images, networking, runner, rescue, settings, checkpoints)
    recovery = Recovery(engine, networking, runner, lifecycle, suspension)
    interfaces = Interfaces(engine, networking, runner, recovery)
    live, channel = _live(conf, edges, runner, networking, suspension, checkpoints)
    return Parts(
        hostname=hostname,
        engine=engine,
        host=host,
        glance=edges.glance,
        images=edges.images,
        wiring=edges.wiring,
        tags=edges.tags,
        allowance=allowance,
        ports=ports,
        consoles=Consoles(engine, translation.console_settings()),
        networking=networking,
        runner=runner,
        lifecycle=lifecycle,
        rescue=rescue,
        resize=Resize(engine, networking, runner),
        departures=Departures(engine, networking, runner, hostname),
        live=live,
        handovers=Handovers(lifecycle, recovery, interfaces, channel, ports, hostname),
        channel=channel,
        stale=StaleArrivals(engine, lifecycle, hostname),
        interfaces=interfaces,
        snapshots=Snapshots(engine, edges.glance, provenance=edges.provenance),
        suspension=suspension,
        checkpoints=checkpoints,
        recovery=recovery,
        repairs=EachServer("put right the container or the network"),
        allocations=Allocations(translation.settled),
        audit=_audit(conf, ports, interfaces),
        watcher=Watcher(engine, hostname, translation.settled),
        availability=Availability(virtapi, hostname),
        health=_health(edges, hostname, settings),
        connector=connector,
        volumes=volumes,
        volume_changes=VolumeChanges(engine, runner, volumes),
        metrics=_metrics(conf, engine),
        ephemeral_disks=disks,
    )


def _allowance(conf: cfg.ConfigOpts, engine: Engine) -> tuple[Host, Allowance]:
    host, section = Host(engine, translation.shared_processors), conf.docker
    return host, Allowance(host, section.pids_limit, bounds_of(section))


def _suspension(
    conf: cfg.ConfigOpts, engine: Engine, networking: Networking, runner: Runner, volumes: Volumes
) -> tuple[Checkpoints, Suspension]:
    checkpoints = Checkpoints(engine, conf.docker.criu, conf.docker.checkpoint_timeout)
    return checkpoints, Suspension(engine, networking, runner, volumes, checkpoints)


def _live(
    conf: cfg.ConfigOpts,
    edges: Edges,
    runner: Runner,
    networking: Networking,
    suspension: Suspension,
    checkpoints: Checkpoints,
) -> tuple[LiveMoves, Channel]:
    engine, images = edges.engine, edges.images
    live = live_moves(conf, runner, suspension, images, networking, checkpoints, engine)
    arrivals = Arrivals(engine, images, runner, move_options(conf))
    return live, Channel(arrivals, str(conf.host), conf, [LiveEndpoint(live.arrivals)])


def _metrics(conf: cfg.ConfigOpts, engine: Engine) -> Endpoint:
    section = conf.docker
    return Endpoint(section.metrics_address, section.metrics_port, EngineHealth(engine.info))


def _ports(virtapi: VirtAPI, wiring: Wiring) -> Ports:
    return Ports(virtapi, wiring.silent_vif_types, wiring.installed)


def _networking(wiring: Wiring, settings: Options) -> Networking:
    return Networking(
        wiring,
        settings.domain,
        settings.dns_servers,
        metadata_by_dhcp=settings.metadata_by_dhcp,
    )


def _volumes(conf: cfg.ConfigOpts) -> tuple[Connector, Volumes, EphemeralDisks]:
    connector, state = Connector(host_identity), Path(conf.state_path) / "novadocker"
    volumes = Volumes(Records(state / "volumes"), connector, Trust(conf.docker.volume_filesystems))
    return connector, volumes, EphemeralDisks(state / "ephemeral")


def _audit(conf: cfg.ConfigOpts, ports: Ports, interfaces: Interfaces) -> NetworkAudit:
    running = partial(ports.running, str(conf.host))
    return NetworkAudit(running, interfaces.look_after, conf.docker.network_audit_interval)


def _health(edges: Edges, hostname: str, settings: Options) -> HealthReporter:
    prober = Prober(edges.engine, settings.instances_path)
    return HealthReporter(edges.engine, hostname, translation.settled_here, edges.tags, prober)


def _options(conf: cfg.ConfigOpts) -> Options:
    return Options(
        instances_path=Path(conf.instances_path),
        domain=conf.api.dhcp_domain or "",
        dns_servers=tuple(conf.docker.dns_servers),
        metadata_by_dhcp=conf.docker.metadata_by_dhcp,
        inject_key=conf.docker.inject_key,
        log_max_size=conf.docker.log_max_size,
        gate_timeout=conf.docker.gate_timeout,
    )
