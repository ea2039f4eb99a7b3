# SPDX-License-Identifier: Apache-2.0
"""The part of the driver that is the compute service itself: its start, its end, its host."""

from pathlib import Path
from typing import Any

import nova.conf
from nova import exception
from nova.image import glance
from nova.virt import event

from novadocker.virt.docker import translation
from novadocker.virt.docker.actions.lifecycle import Lifecycle
from novadocker.virt.docker.actions.snapshot import Snapshots
from novadocker.virt.docker.compute.health import HealthReporter
from novadocker.virt.docker.compute.ports import Ports
from novadocker.virt.docker.compute.power import Watcher
from novadocker.virt.docker.compute.tags import ServerTags
from novadocker.virt.docker.compute.unsupported import Refusals
from novadocker.virt.docker.conf import options
from novadocker.virt.docker.conf.policy_files import bounds_of
from novadocker.virt.docker.conf.values import Options
from novadocker.virt.docker.console import Consoles
from novadocker.virt.docker.container.labels import LABEL_HOST, LABEL_INSTANCE, container_name
from novadocker.virt.docker.engine import Engine, State
from novadocker.virt.docker.host import suitability
from novadocker.virt.docker.host.inventory import (
    Host,
    Ratios,
    Reserved,
    uptime,
)
from novadocker.virt.docker.host.processor import traits as processor_traits
from novadocker.virt.docker.images import Images, Parts, Provenance, Ranges
from novadocker.virt.docker.network.audit import NetworkAudit
from novadocker.virt.docker.wiring import Wiring, backends

CONF = nova.conf.CONF


class Service(Refusals):
    """What Nova asks of a host, whatever servers are on it.

    Args:
        virtapi: what Nova gives every driver.
    """

    def __init__(self, virtapi: Any) -> None:
        super().__init__(virtapi)
        options.register(CONF)
        self._engine = Engine(translation.connection(CONF.docker))
        self._host = Host(self._engine)
        self._glance = glance.API()
        remembered = Path(CONF.state_path) / "novadocker" / "images"
        parts = Parts(Ranges(), Provenance(remembered))
        self._images = Images(self._engine, self._glance, parts=parts)
        self._snapshots = Snapshots(self._engine, self._glance, provenance=parts.provenance)
        self._wiring = Wiring(backends.load(options.vrouter(CONF)))
        self._ports = Ports(virtapi, self._wiring.silent_vif_types)
        self._consoles = Consoles(self._engine, translation.console_place())
        self._hostname = CONF.host
        self._lifecycle: Lifecycle | None = None
        self._audit: NetworkAudit | None = None
        self._watcher: Watcher | None = None
        self._health: HealthReporter | None = None

    def init_host(self, host: str) -> None:
        options.refuse_unusable(CONF)
        self._hostname = host
        self._images.adapt(
            suitability.check(self._engine, require_userns=CONF.docker.require_userns)
        )
        self._wiring.warm_up()
        self._lifecycle = Lifecycle(self._engine, self._images, self._wiring, self._options())
        self._audit = NetworkAudit(
            lambda: self._ports.settled(host),
            self._lifecycle.look_after_network,
            CONF.docker.network_audit_interval,
        )
        self._snapshots.sweep(host)

    def cleanup_host(self, host: str) -> None:
        if self._audit:
            self._audit.stop()
            self._audit = None
        if self._watcher:
            self._watcher.stop()
            self._watcher = None
        if self._health:
            self._health.stop()
            self._health = None
        self._consoles.close_all()

    def get_available_nodes(self, refresh: bool = False) -> list[str]:
        return [self._hostname]

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        self._watch()
        if self._audit:
            self._audit.poke()
        return self._host.resources(nodename)

    def update_provider_tree(
        self, provider_tree: Any, nodename: str, allocations: Any = None
    ) -> None:
        ratios = self._get_allocation_ratios(provider_tree.data(nodename).inventory)
        inventory = self._host.inventory(
            Ratios(ratios["VCPU"], ratios["MEMORY_MB"], ratios["DISK_GB"]),
            Reserved(
                CONF.reserved_host_cpus,
                CONF.reserved_host_memory_mb,
                self._get_reserved_host_disk_gb_from_config(),
            ),
        )
        provider_tree.update_inventory(nodename, inventory)
        traits = self._host.traits(CONF.docker.runtimes) | processor_traits()
        provider_tree.add_traits(nodename, *(name for name, has in traits.items() if has))
        provider_tree.remove_traits(nodename, *(name for name, has in traits.items() if not has))

    def get_host_uptime(self) -> str:
        return uptime()

    def get_host_ip_addr(self) -> str:
        return str(CONF.my_ip)

    def list_instances(self) -> list[str]:
        return [container_name(uuid) for uuid in self.list_instance_uuids()]

    def list_instance_uuids(self) -> list[str]:
        found = self._engine.names(f"{LABEL_HOST}={self._hostname}")
        return sorted({labels[LABEL_INSTANCE] for labels in found.values()})

    # What the rest of the driver is made of

    @property
    def _life(self) -> Lifecycle:
        if self._lifecycle is None:
            raise exception.HostNotFound(host=self._hostname)
        return self._lifecycle

    def _watch(self) -> None:
        # Nova first asks for resources when it listens and has looked after all instances
        # itself: news before that would be lost, or stop what it is about to resume.
        if self._watcher is None:
            self._watcher = Watcher(
                self._engine, self._hostname, translation.settled, self._tell_nova
            )
            self._watcher.start()
            self._health = HealthReporter(
                self._engine, self._hostname, translation.settled_here, ServerTags()
            )
            self._health.start()
            self._consoles.sweep(f"{LABEL_HOST}={self._hostname}")

    def _options(self) -> Options:
        return Options(
            instances_path=Path(CONF.instances_path),
            domain=CONF.api.dhcp_domain or "",
            dns_servers=tuple(CONF.docker.dns_servers),
            metadata_by_dhcp=CONF.docker.metadata_by_dhcp,
            inject_key=CONF.docker.inject_key,
            log_max_size=CONF.docker.log_max_size,
            gate_timeout=CONF.docker.gate_timeout,
            abilities=self._host.abilities(CONF.docker.pids_limit),
            bounds=bounds_of(CONF.docker),
        )

    def _tell_nova(self, uuid: str, state: State) -> None:
        self.emit_event(
            event.LifecycleEvent(uuid, translation.TRANSITIONS[translation.POWER_STATES[state]])
        )
