# SPDX-License-Identifier: Apache-2.0
"""DockerDriver: Nova's calls translated into actions, and our errors into Nova's."""

import contextlib
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import nova.conf
from nova.compute import power_state
from nova.virt import driver
from oslo_log import log as logging

from novadocker import policy
from novadocker.virt.docker import translation
from novadocker.virt.docker.compute.assembly import Parts, assemble
from novadocker.virt.docker.compute.introspection import Introspection
from novadocker.virt.docker.compute.live.calls import LiveCalls
from novadocker.virt.docker.compute.moves import MoveCalls
from novadocker.virt.docker.compute.networks.ports import while_plugging
from novadocker.virt.docker.compute.networks.trunks import refuse_trunks
from novadocker.virt.docker.compute.service import Service
from novadocker.virt.docker.compute.suspension import SuspensionCalls
from novadocker.virt.docker.compute.timing import ACTIONS
from novadocker.virt.docker.compute.unsupported import Unsupported
from novadocker.virt.docker.telemetry.action import all_timed
from novadocker.virt.docker.translation import image_ref, metadata
from novadocker.virt.nova_types import (
    AcceleratorInfo,
    Allocations,
    BlockDeviceInfo,
    BlockDevices,
    ImageMeta,
    InjectedFiles,
    Instance,
    MigrateData,
    NetworkInfo,
    RequestContext,
    ShareInfo,
    Vif,
    VirtAPI,
)

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


@all_timed(ACTIONS)
class DockerDriver(Service, Introspection, MoveCalls, LiveCalls, SuspensionCalls, Unsupported):
    """Nova's compute driver interface (nova.virt.driver.ComputeDriver) for the Docker Engine.

    Args:
        virtapi: Nova's side, as every driver gets it.
        parts: parts of the driver; else as nova.conf says.
    """

    def __init__(self, virtapi: VirtAPI, parts: Parts | None = None) -> None:
        super().__init__(virtapi, parts or assemble(CONF, virtapi))

    capabilities = {  # noqa: RUF012 - as Nova declares it
        **driver.ComputeDriver.capabilities,
        "has_imagecache": True,
        "supports_attach_interface": True,
        "supports_evacuate": True,
        "supports_tagged_attach_interface": True,
        "supports_device_tagging": True,
        "supports_tagged_attach_volume": True,
        "supports_extend_volume": True,
        "supports_multiattach": True,
        "supports_image_type_raw": True,
    }

    # Instances

    def spawn(
        self,
        context: RequestContext,
        instance: Instance,
        image_meta: ImageMeta,
        injected_files: InjectedFiles,
        admin_password: str | None,
        allocations: Allocations,
        network_info: NetworkInfo = None,
        block_device_info: BlockDeviceInfo = None,
        power_on: bool = True,
        accel_info: AcceleratorInfo = None,
    ) -> None:
        with translation.as_build_errors(instance):
            policy.refuse(
                translation.wishes(
                    instance,
                    block_device_info,
                    image_meta=image_meta,
                    accel_info=accel_info,
                )
            )
            server = translation.server(instance, image_meta)
            inputs = translation.inputs(
                context, instance, image_meta, injected_files, admin_password
            )
            parts = self._parts
            network = parts.ports.new_network_of(instance, network_info)
            settings = parts.allowance.settings(server)
            with self._new_volumes(context, instance, block_device_info):
                parts.lifecycle.boot(
                    context,
                    server,
                    image_meta,
                    network,
                    inputs,
                    waiter=translation.WaitingServer(context, instance, parts.hostname),
                    power_on=power_on,
                    while_waiting=functools.partial(
                        while_plugging, context, instance, server, network, settings, parts.tags
                    ),
                )

    def rebuild(
        self,
        context: RequestContext,
        instance: Instance,
        image_meta: ImageMeta,
        injected_files: InjectedFiles,
        admin_password: str | None,
        allocations: Allocations,
        bdms: BlockDevices,
        detach_block_devices: Callable[..., Any],
        attach_block_devices: Callable[..., Any],
        network_info: NetworkInfo = None,
        evacuate: bool = False,
        block_device_info: BlockDeviceInfo = None,
        preserve_ephemeral: bool = False,
        accel_uuids: Any = None,
        reimage_boot_volume: bool = False,
    ) -> None:
        if evacuate:
            # Nothing of the server is here, and what the lost host has is not to be kept.
            raise NotImplementedError  # for Nova's own way then: spawn
        # A server is not given up for one that cannot be: a bad image is found out before.
        with (
            self._parts.allocations.kept(instance.uuid),
            translation.as_build_errors(instance),
            image_ref.kept(context, instance, self._parts.glance, self._parts.lifecycle.image_of),
            translation.as_refused_rebuild(instance),
        ):
            policy.refuse(translation.wishes(instance, block_device_info, image_meta=image_meta))
            self._parts.lifecycle.check_rebuild(
                context,
                translation.server(instance, image_meta),
                image_meta,
                translation.inputs(context, instance, image_meta, injected_files, admin_password),
                translation.WaitingServer(context, instance, self._parts.hostname),
            )
        raise NotImplementedError  # for Nova's own way then: destroy and spawn

    def destroy(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        block_device_info: BlockDeviceInfo = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        network = self._parts.ports.network_of(instance, network_info)
        with translation.as_nova_errors(instance):
            if destroy_disks:
                self._parts.lifecycle.remove(instance.uuid, network)
            else:  # its files stay: Nova is about to revert a resize on this host
                self._parts.lifecycle.stop(
                    instance.uuid, network, translation.shutdown_timeout(instance)
                )
                self._parts.volume_changes.release(instance.uuid)

    def cleanup(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        block_device_info: BlockDeviceInfo = None,
        destroy_disks: bool = True,
        migrate_data: MigrateData = None,
        destroy_vifs: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        ports = network_info if destroy_vifs else []
        self.destroy(context, instance, ports, block_device_info, destroy_disks)

    def power_on(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        block_device_info: BlockDeviceInfo = None,
        accel_info: AcceleratorInfo = None,
        share_info: ShareInfo = None,
    ) -> None:
        with translation.as_nova_errors(instance):
            self._expect_volumes(context, instance, block_device_info)
            self._parts.lifecycle.start(
                translation.server(instance), self._parts.ports.network_of(instance, network_info)
            )

    def power_off(self, instance: Instance, timeout: int = 0, retry_interval: int = 0) -> None:
        with translation.as_nova_errors(instance):
            network = self._parts.ports.network_of(instance, instance.get_network_info())
            self._parts.lifecycle.stop(instance.uuid, network, timeout)

    def reboot(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        reboot_type: str,
        block_device_info: BlockDeviceInfo = None,
        bad_volumes_callback: Callable[..., Any] | None = None,
        accel_info: AcceleratorInfo = None,
        share_info: ShareInfo = None,
    ) -> None:
        timeout = translation.shutdown_timeout(instance) if reboot_type == "SOFT" else 0
        network = self._parts.ports.network_of(instance, network_info)
        with translation.as_nova_errors(instance):
            self._expect_volumes(context, instance, block_device_info)
            self._parts.lifecycle.restart(translation.server(instance), network, timeout)

    def resume_state_on_host_boot(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        share_info: ShareInfo,
        block_device_info: BlockDeviceInfo = None,
    ) -> None:
        self.power_on(context, instance, network_info, block_device_info)

    def pause(self, instance: Instance) -> None:
        with translation.as_nova_errors(instance):
            network = self._parts.ports.network_of(instance, instance.get_network_info())
            self._parts.lifecycle.pause(instance.uuid, network)

    def unpause(self, instance: Instance) -> None:
        with translation.as_nova_errors(instance):
            network = self._parts.ports.network_of(instance, instance.get_network_info())
            self._parts.lifecycle.unpause(instance.uuid, network)

    def rescue(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        image_meta: ImageMeta,
        rescue_password: str,
        block_device_info: BlockDeviceInfo,
        share_info: ShareInfo,
    ) -> None:
        with translation.as_nova_errors(instance):
            inputs = translation.inputs(context, instance, image_meta, [], rescue_password)
            self._parts.rescue.run(
                context,
                translation.stand_in(context, self._parts.glance, instance, image_meta),
                image_meta,
                self._parts.ports.network_of(instance, network_info),
                # What the server was to do when it was new may be what has broken it.
                replace(inputs, user_data=None),
                waiter=translation.WaitingServer(context, instance, self._parts.hostname),
                running=instance.power_state == power_state.RUNNING,
            )

    def unrescue(self, context: RequestContext, instance: Instance) -> None:
        with translation.as_nova_errors(instance):
            network = self._parts.ports.network_of(instance, instance.get_network_info())
            self._parts.lifecycle.start(
                replace(translation.server(instance), rescue=False), network
            )

    def set_admin_password(self, instance: Instance, new_pass: str) -> None:
        with translation.as_password_errors(instance):
            settings = self._parts.allowance.settings(translation.server(instance))
            login = translation.login(instance.image_meta, new_pass)
            self._guest(instance).set_password(login, settings)
        translation.keep_password(instance, new_pass)

    # Interfaces

    def attach_interface(
        self, context: RequestContext, instance: Instance, image_meta: ImageMeta, vif: Vif
    ) -> None:
        server = translation.server(instance)
        interfaces, allowance = self._parts.interfaces, self._parts.allowance
        ports = functools.partial(self._parts.ports.current_network, context, instance)
        with translation.as_nova_errors(instance), contextlib.ExitStack() as undo:
            refuse_trunks(context, [vif["id"]], allowance.settings(server).rights)
            interfaces.attach(server, vif, ports)
            undo.callback(interfaces.detach, server, vif, ports)
            metadata.describe_devices(context, instance)
            undo.pop_all()

    def detach_interface(self, context: RequestContext, instance: Instance, vif: Vif) -> None:
        server = translation.server(instance)
        ports = functools.partial(self._parts.ports.current_network, context, instance)
        with translation.as_nova_errors(instance):
            self._parts.interfaces.detach(server, vif, ports)
        metadata.describe_devices(context, instance, without=vif["id"])

    def unplug_vifs(self, instance: Instance, network_info: NetworkInfo) -> None:
        with translation.as_nova_errors(instance):
            self._parts.wiring.unwire(instance, network_info)

    # Images

    def snapshot(
        self,
        context: RequestContext,
        instance: Instance,
        image_id: str,
        update_task_state: Callable[..., None],
    ) -> None:
        stages = translation.snapshot_stages(update_task_state)
        with translation.as_snapshot_errors(instance):
            self._parts.snapshots.take(context, instance.uuid, image_id, stages)
