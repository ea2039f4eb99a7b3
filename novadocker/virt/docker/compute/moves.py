# SPDX-License-Identifier: Apache-2.0
"""Calls of nova.virt.driver.ComputeDriver about other flavors and other hosts."""

from collections.abc import Callable

from novadocker import policy
from novadocker.virt.docker import translation
from novadocker.virt.docker.compute.migrations import left_host, route_of
from novadocker.virt.docker.compute.tags import tell_rights
from novadocker.virt.docker.compute.volumes import VolumeCalls
from novadocker.virt.nova_types import (
    Allocations,
    BlockDeviceInfo,
    ImageMeta,
    Instance,
    Migration,
    NetworkInfo,
    NovaFlavor,
    RequestContext,
    ShareInfo,
)


class MoveCalls(VolumeCalls):
    """Resizes and cold migrations; all heavy work is done while the source has the server."""

    def migrate_disk_and_power_off(
        self,
        context: RequestContext,
        instance: Instance,
        dest: str,
        flavor: NovaFlavor,
        network_info: NetworkInfo,
        block_device_info: BlockDeviceInfo = None,
        timeout: int = 0,
        retry_interval: int = 0,
    ) -> str:
        with translation.as_refused_resize():
            policy.refuse(translation.wishes(instance, block_device_info, flavor=flavor))
            parts, route = self._parts, route_of(context, instance)
            network = parts.ports.network_of(instance, network_info)
            resized = translation.server(instance, flavor=flavor)
            if route.destination == parts.hostname:
                parts.resize.prepare(resized, network, timeout)
            else:
                parts.ephemeral_disks.refuse_departure(instance.uuid)
                destination = parts.channel.to(route.destination, context, instance, flavor)
                parts.departures.send(resized, network, destination, route.migration, timeout)
        return ""  # no disk is on its way: what had to travel has arrived

    def finish_migration(
        self,
        context: RequestContext,
        migration: Migration,
        instance: Instance,
        disk_info: str,
        network_info: NetworkInfo,
        image_meta: ImageMeta,
        resize_instance: bool,
        allocations: Allocations,
        block_device_info: BlockDeviceInfo = None,
        power_on: bool = True,
        share_info: ShareInfo = None,
    ) -> None:
        with translation.as_nova_errors(instance):
            self._expect_volumes(context, instance, block_device_info)
        self._resize(instance, network_info, self._parts.resize.finish, power_on=power_on)

    def confirm_migration(
        self,
        context: RequestContext,
        migration: Migration,
        instance: Instance,
        network_info: NetworkInfo,
    ) -> None:
        # Nova's ports of a server that left are the other host's; its stop unplugged them here.
        copy = self._parts.ports.network_of(instance, [])
        with translation.as_nova_errors(instance):
            if left_host(migration):
                self._parts.lifecycle.remove(instance.uuid, copy)
            else:
                self._parts.resize.confirm(instance.uuid)

    def finish_revert_migration(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        migration: Migration,
        block_device_info: BlockDeviceInfo = None,
        power_on: bool = True,
        share_info: ShareInfo = None,
    ) -> None:
        with translation.as_nova_errors(instance):
            self._expect_volumes(context, instance, block_device_info)
        self._resize(instance, network_info, self._parts.resize.revert, power_on=power_on)

    def _resize(
        self,
        instance: Instance,
        network_info: NetworkInfo,
        act: Callable[..., None],
        *,
        power_on: bool,
    ) -> None:
        network = self._parts.ports.network_of(instance, network_info)
        server = translation.server(instance)
        with translation.as_nova_errors(instance):
            act(server, network, power_on=power_on)
        tell_rights(self._parts.tags, server, self._parts.allowance.settings(server))
