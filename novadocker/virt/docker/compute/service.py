# SPDX-License-Identifier: Apache-2.0
"""Host-level calls of nova.virt.driver.ComputeDriver: start, stop, inventory, list of servers."""

from typing import Any

import nova.conf
from nova.virt import driver, event

from novadocker.virt.docker import translation
from novadocker.virt.docker.compute.assembly import Parts
from novadocker.virt.docker.conf import options
from novadocker.virt.docker.container.labels import LABEL_HOST, LABEL_INSTANCE, container_name
from novadocker.virt.docker.engine import State
from novadocker.virt.docker.host import suitability
from novadocker.virt.docker.host.inventory import Ratios, Reserved, uptime
from novadocker.virt.docker.host.processor import traits as processor_traits
from novadocker.virt.nova_types import Allocations, ProviderTree, VirtAPI

CONF = nova.conf.CONF


class Service(driver.ComputeDriver):
    """Compute host of Nova, whatever servers are on it.

    Args:
        virtapi: Nova's side, as every driver gets it.
        parts: parts of the driver on this host.
    """

    def __init__(self, virtapi: VirtAPI, parts: Parts) -> None:
        super().__init__(virtapi)
        self._parts = parts

    def init_host(self, host: str) -> None:
        options.refuse_unusable(CONF)
        parts = self._parts
        info = suitability.check(parts.engine, require_userns=CONF.docker.require_userns)
        parts.images.adapt(info)
        parts.wiring.warm_up()
        parts.allowance.refresh()
        parts.audit.start()
        parts.snapshots.sweep(parts.hostname)

    def cleanup_host(self, host: str) -> None:
        self._parts.audit.stop()
        self._parts.watcher.stop()
        self._parts.health.stop()
        self._parts.consoles.close_all()

    def get_available_nodes(self, refresh: bool = False) -> list[str]:
        return [self._parts.hostname]

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        parts = self._parts
        # Nova first asks for resources when it listens and has looked after all instances
        # itself: news before that would be lost, or stop what it is about to resume.
        if parts.watcher.start(self._tell_nova):
            parts.health.start()
            parts.consoles.sweep(f"{LABEL_HOST}={parts.hostname}")
        parts.audit.poke()
        parts.allowance.refresh()
        return parts.host.resources(nodename)

    def update_provider_tree(
        self, provider_tree: ProviderTree, nodename: str, allocations: Allocations = None
    ) -> None:
        ratios = self._get_allocation_ratios(provider_tree.data(nodename).inventory)
        inventory = self._parts.host.inventory(
            Ratios(ratios["VCPU"], ratios["MEMORY_MB"], ratios["DISK_GB"]),
            Reserved(
                CONF.reserved_host_cpus,
                CONF.reserved_host_memory_mb,
                self._get_reserved_host_disk_gb_from_config(),
            ),
        )
        provider_tree.update_inventory(nodename, inventory)
        traits = self._parts.host.traits(CONF.docker.runtimes) | processor_traits()
        provider_tree.add_traits(nodename, *(name for name, has in traits.items() if has))
        provider_tree.remove_traits(nodename, *(name for name, has in traits.items() if not has))

    def get_host_uptime(self) -> str:
        return uptime()

    def get_host_ip_addr(self) -> str:
        return str(CONF.my_ip)

    def list_instances(self) -> list[str]:
        return [container_name(uuid) for uuid in self.list_instance_uuids()]

    def list_instance_uuids(self) -> list[str]:
        found = self._parts.engine.labels_by_name(f"{LABEL_HOST}={self._parts.hostname}")
        return sorted({labels[LABEL_INSTANCE] for labels in found.values()})

    def _tell_nova(self, uuid: str, state: State) -> None:
        transition = translation.TRANSITIONS[translation.POWER_STATES[state]]
        self.emit_event(event.LifecycleEvent(uuid, transition))
