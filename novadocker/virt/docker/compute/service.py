# SPDX-License-Identifier: Apache-2.0
"""Calls of nova.virt.driver.ComputeDriver for a host: start, stop, inventory, all servers."""

import functools
from typing import Any

import nova.conf
from nova.virt import event
from oslo_log import log as logging

from novadocker.errors import DockerDriverError
from novadocker.virt.docker import translation
from novadocker.virt.docker.compute.base import Composed
from novadocker.virt.docker.conf import options
from novadocker.virt.docker.container.labels import LABEL_HOST, LABEL_INSTANCE, container_name
from novadocker.virt.docker.engine import State
from novadocker.virt.docker.host import suitability
from novadocker.virt.docker.host.inventory import Ratios, Reserved, uptime
from novadocker.virt.docker.host.processor import traits as processor_traits
from novadocker.virt.nova_types import (
    Allocations,
    Instance,
    InstanceList,
    NetworkInfo,
    ProviderTree,
    RequestContext,
)

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


class Service(Composed):
    """Compute host of Nova, and the work on all of its servers."""

    def init_host(self, host: str) -> None:
        options.refuse_unusable(CONF)
        parts = self._parts
        info = suitability.check(parts.engine, require_userns=CONF.docker.require_userns)
        parts.images.adapt(info)
        parts.wiring.warm_up()
        parts.allowance.refresh()
        parts.audit.start()
        parts.snapshots.sweep(parts.hostname)
        parts.metrics.start()
        parts.channel.start()
        parts.live.trial.start()
        if not translation.nova_hands_over():
            self.process_instances_at_startup(*translation.local_instances(host))

    def cleanup_host(self, host: str) -> None:
        self._parts.channel.stop()
        self._parts.metrics.stop()
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
        parts.handovers.settle()
        with parts.availability.follows_engine():
            parts.allowance.refresh()
            return parts.host.resources(nodename)

    def update_provider_tree(
        self, provider_tree: ProviderTree, nodename: str, allocations: Allocations = None
    ) -> None:
        known = provider_tree.data(nodename)
        ratios = self._get_allocation_ratios(known.inventory)
        inventory = self._parts.host.inventory(
            Ratios(ratios["VCPU"], ratios["MEMORY_MB"], ratios["DISK_GB"]),
            Reserved(
                CONF.reserved_host_cpus,
                CONF.reserved_host_memory_mb,
                self._get_reserved_host_disk_gb_from_config(),
            ),
        )
        provider_tree.update_inventory(nodename, inventory)
        ours = self._parts.host.traits(CONF.docker.runtimes, known.traits)
        traits = ours | processor_traits() | self._parts.live.trial.traits
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

    def process_instances_at_startup(
        self, context: RequestContext, instances: InstanceList
    ) -> InstanceList:
        self._parts.stale.remove(context, {instance.uuid for instance in instances})
        handed_over = self._parts.handovers.find(instance.uuid for instance in instances)
        instances = [each for each in instances if each.uuid not in handed_over]
        self._parts.repairs.attempt_all(
            {
                instance.uuid: functools.partial(self._repair_at_start, instance)
                for instance in instances
            }
        )
        self._parts.wiring.resume()
        return instances

    def plug_vifs(self, instance: Instance, network_info: NetworkInfo) -> None:
        """Repair the network of a server, as nova-compute asks at its start.

        An exception would end nova-compute, and with it the service for all other servers. A
        server that cannot be repaired goes on as it is; the audit tries again.
        """
        network = self._parts.ports.network_of(instance, network_info)
        self._parts.repairs.attempt(
            instance.uuid,
            lambda: self._parts.interfaces.repair(translation.server(instance), network),
        )

    def delete_instance_files(self, instance: Instance) -> bool:
        try:
            return self._parts.lifecycle.remove_files(instance.uuid)
        except (DockerDriverError, OSError) as error:
            # Nova asks for many servers in one turn, and again for this one in the next.
            LOG.warning("Files of server %s are not removed: %s", instance.uuid, error)
            return False

    def check_instance_shared_storage_local(
        self, context: RequestContext, instance: Instance
    ) -> dict[str, str]:
        return {"host": self._parts.hostname}

    def check_instance_shared_storage_remote(self, context: RequestContext, data: Any) -> bool:
        return bool(data.get("host") == self._parts.hostname)

    def cache_image(self, context: RequestContext, image_id: str) -> bool:
        return self._parts.images.cache(
            context, translation.described(context, self._parts.glance, image_id)
        )

    def manage_image_cache(self, context: RequestContext, all_instances: InstanceList) -> None:
        self._parts.snapshots.sweep(self._parts.hostname)
        if CONF.image_cache.remove_unused_base_images:
            self._parts.images.forget_unused(
                {instance.image_ref for instance in all_instances},
                CONF.image_cache.remove_unused_original_minimum_age_seconds,
            )

    def _tell_nova(self, uuid: str, state: State | None) -> None:
        if state is None:
            translation.report_lost(uuid, self._parts.hostname)
            return
        transition = translation.TRANSITIONS[translation.POWER_STATES[state]]
        self.emit_event(event.LifecycleEvent(uuid, transition))

    def _repair_at_start(self, instance: Instance) -> None:
        expected = translation.expected_at_start(instance)
        network = self._parts.ports.network_of(instance, instance.get_network_info())
        if not self._parts.recovery.at_start(instance.uuid, expected, network):
            # Removed while nova-compute was away: no event will ever tell of it.
            translation.record_lost(instance, self._parts.hostname)
