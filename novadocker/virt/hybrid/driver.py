# SPDX-License-Identifier: Apache-2.0
"""HybridDriver: each of Nova's calls goes to libvirt's driver, to the Docker driver, or to both."""

from collections.abc import Callable, Mapping
from typing import Any

import nova.conf
from nova import exception
from nova.virt import driver
from nova.virt.libvirt.driver import LibvirtDriver
from oslo_log import log as logging

from novadocker.errors import ConfigurationError, DockerDriverError
from novadocker.virt.docker.compute.assembly import assemble
from novadocker.virt.docker.compute.live.calls import is_of_a_container
from novadocker.virt.docker.driver import DockerDriver
from novadocker.virt.docker.translation import image_ref, nova_hands_over
from novadocker.virt.hybrid import merging
from novadocker.virt.hybrid.dispatch import dispatching
from novadocker.virt.hybrid.kind import CONTAINER_FORMAT, Finder, Kind, Side, kind_of_image
from novadocker.virt.hybrid.last_known import LastKnown
from novadocker.virt.hybrid.sides import Containers, Machines

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


@dispatching
class HybridDriver(driver.ComputeDriver):
    """Nova's compute driver interface for a host with libvirt and a Docker Engine.

    It holds the two drivers and is no subclass of either: calls of libvirt's driver to itself
    must not come back through the dispatch.

    Args:
        virtapi: nova.virt.virtapi.ComputeVirtAPI, shared by both drivers.
    """

    def __init__(self, virtapi: Any) -> None:
        super().__init__(virtapi)
        self._machines = LibvirtDriver(virtapi)
        self._parts = assemble(CONF, virtapi)
        self._containers = DockerDriver(virtapi, self._parts)
        self.drivers: Mapping[Kind, Any] = {
            Kind.CONTAINER: self._containers,
            Kind.MACHINE: self._machines,
        }
        docker = Containers(self._parts)
        self._sides: Mapping[Kind, Side] = {
            Kind.CONTAINER: docker,
            Kind.MACHINE: Machines(self._machines),
        }
        self._disk = LastKnown(lambda: docker.own_disk(CONF))
        self.finder = Finder(self._sides)

    @property
    def capabilities(self) -> dict[str, bool]:
        """Capabilities of the host; libvirt's change in init_host, so none are kept here."""
        return merging.capabilities(self._machines.capabilities, self._containers.capabilities)

    # The service

    def init_host(self, host: str) -> None:
        if not nova_hands_over():
            # The containers' driver would look for containers of virtual machines.
            reason = "it needs Nova 34, which hands the instances over at its start"
            raise ConfigurationError(option="compute_driver", value="HybridDriver", reason=reason)
        # Containers first: libvirt's own start may switch processors off.
        self._containers.init_host(host)
        self._machines.init_host(host)
        if (gib := self._disk.value()) is not None:
            LOG.warning(
                "Containers have a disk of their own (%d GiB): the smaller of the two counts", gib
            )

    def cleanup_host(self, host: str) -> None:
        try:
            self._containers.cleanup_host(host)
        finally:
            self._machines.cleanup_host(host)

    def process_instances_at_startup(self, context: Any, instances: Any) -> list[Any]:
        kinds = {instance.uuid: self._kind_at_start(instance) for instance in instances}
        for kind, child in self.drivers.items():
            own = [instance for instance in instances if kinds[instance.uuid] is kind]
            child.process_instances_at_startup(context, own)
        return list(instances)

    def register_event_listener(self, callback: Callable[..., Any]) -> None:
        super().register_event_listener(callback)
        # Each driver emits by its own callback.
        for child in self.drivers.values():
            child.register_event_listener(callback)

    # The host

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        # Before libvirt, which may raise: the call starts the watchers of containers.
        supported = self._supported_containers(nodename)
        resources = self._machines.get_available_resource(nodename)
        return merging.resources(resources, supported, self._disk.value())

    def update_provider_tree(
        self, provider_tree: Any, nodename: str, allocations: Any = None
    ) -> None:
        # Libvirt's driver replaces the inventory: one host, counted once.
        self._machines.update_provider_tree(provider_tree, nodename, allocations)
        inventory = provider_tree.data(nodename).inventory
        provider_tree.update_inventory(nodename, merging.inventory(inventory, self._disk.value()))
        traits = self._container_traits()
        provider_tree.add_traits(nodename, *(name for name, has in traits.items() if has))
        provider_tree.remove_traits(nodename, *(name for name, has in traits.items() if not has))

    def list_instances(self) -> list[str]:
        return [name for child in self.drivers.values() for name in child.list_instances()]

    def list_instance_uuids(self) -> list[str]:
        return [uuid for child in self.drivers.values() for uuid in child.list_instance_uuids()]

    def get_num_instances(self) -> int:
        return sum(child.get_num_instances() for child in self.drivers.values())

    def instance_exists(self, instance: Any) -> bool:
        return self.finder.incumbent(instance) is not None

    def manage_image_cache(self, context: Any, all_instances: Any) -> None:
        try:
            self._containers.manage_image_cache(context, all_instances)
        finally:
            self._machines.manage_image_cache(context, all_instances)

    def cache_image(self, context: Any, image_id: str) -> bool:
        image = self._parts.glance.get(context, image_id)
        docker = image.get("container_format") == CONTAINER_FORMAT
        kind = Kind.CONTAINER if docker else Kind.MACHINE
        return bool(self.drivers[kind].cache_image(context, image_id))

    def get_all_volume_usage(self, context: Any, compute_host_bdms: Any) -> Any:
        machines = [
            each
            for each in compute_host_bdms
            if self.finder.kind_of(each["instance"]) is Kind.MACHINE
        ]
        return self._machines.get_all_volume_usage(context, machines)

    def poll_rebooting_instances(self, timeout: int, instances: Any) -> None:
        machines = [each for each in instances if self.finder.kind_of(each) is Kind.MACHINE]
        self._machines.poll_rebooting_instances(timeout, machines)

    # Data that tell by their form from which driver they come

    def check_instance_shared_storage_remote(self, context: Any, data: Any) -> bool:
        return bool(self._driver_of(data).check_instance_shared_storage_remote(context, data))

    def check_instance_shared_storage_cleanup(self, context: Any, data: Any) -> None:
        self._driver_of(data).check_instance_shared_storage_cleanup(context, data)

    def cleanup_live_migration_destination_check(self, context: Any, dest_check_data: Any) -> None:
        # libvirt's driver would remove a file by the name that is a container's account here.
        if not is_of_a_container(dest_check_data):
            self._machines.cleanup_live_migration_destination_check(context, dest_check_data)

    # An image of the other kind

    def rebuild(
        self, context: Any, instance: Any, image_meta: Any, *args: Any, **named: Any
    ) -> None:
        kind, wanted = self.finder.incumbent(instance), kind_of_image(image_meta)
        if kind in (None, wanted):
            self.drivers[wanted].rebuild(context, instance, image_meta, *args, **named)
            return
        reason = f"the server is a {kind.value}, and image {image_meta.id} makes a {wanted.value}"
        with (
            self._parts.allocations.kept(instance.uuid),
            image_ref.kept(context, instance, self._parts.glance, self._sides[kind].image_of),
        ):
            raise exception.InstanceFaultRollback(
                exception.BuildAbortException(instance_uuid=instance.uuid, reason=reason)
            )

    def rescue(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        image_meta: Any,
        *args: Any,
        **named: Any,
    ) -> None:
        kind = self.finder.kind_of(instance)
        if kind_of_image(image_meta) is kind:
            self.drivers[kind].rescue(context, instance, network_info, image_meta, *args, **named)
            return
        # Nova has stopped the server before it asks, and any error leaves ERROR: the server
        # runs again, so that a hard reboot is all that is needed.
        self.drivers[kind].power_on(context, instance, network_info)
        raise exception.InstanceNotRescuable(
            instance_id=instance.uuid,
            reason=f"the server is a {kind.value}, and image {image_meta.id} makes a "
            f"{kind.other.value}; reboot it hard, and rescue it with an image of its kind",
        )

    def _kind_at_start(self, instance: Any) -> Kind:
        try:
            return self.finder.kind_of(instance)
        except exception.HypervisorUnavailable as error:
            # One engine that is away must not keep the other's servers from being looked after.
            LOG.warning("Server %s goes by its record at start: %s", instance.uuid, error)
            return kind_of_image(instance.image_meta)

    def _container_traits(self) -> dict[str, bool]:
        # Not those of the processor: a machine's is what libvirt gives it.
        try:
            ours = self._parts.host.traits(CONF.docker.runtimes)
        except DockerDriverError as error:
            LOG.warning("Traits of containers stay while the engine does not answer: %s", error)
            return {}
        return {**ours, **self._parts.live.trial.traits}

    def _supported_containers(self, nodename: str) -> list[Any]:
        try:
            resources = self._containers.get_available_resource(nodename)
        except DockerDriverError as error:
            LOG.warning("No containers go here while the engine does not answer: %s", error)
            return []
        return list(resources["supported_instances"])

    def _driver_of(self, data: Any) -> Any:
        # The Docker driver compares hosts, libvirt's looks for a file.
        return self.drivers[Kind.CONTAINER if "host" in data else Kind.MACHINE]
