# SPDX-License-Identifier: Apache-2.0
"""DockerDriver: Nova's calls into ours and back, and nothing else."""

import contextlib
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import nova.conf
from nova.compute import power_state
from nova.console import type as console_type
from nova.virt import driver, hardware

from novadocker import policy
from novadocker.virt.docker import translation
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.crash_dump import crash
from novadocker.virt.docker.actions.recovery import recover
from novadocker.virt.docker.compute import telling
from novadocker.virt.docker.compute.plugging import meanwhile
from novadocker.virt.docker.compute.service import Service
from novadocker.virt.docker.compute.trunks import refuse_trunks
from novadocker.virt.docker.container.guest import Guest, in_service
from novadocker.virt.docker.translation import image_ref, metadata
from novadocker.virt.docker.translation.diagnostics import Diagnostics, diagnostics_of

CONF = nova.conf.CONF


class DockerDriver(Service):
    """Nova's compute driver interface (nova.virt.driver.ComputeDriver), for the Docker Engine.

    Args:
        virtapi: what Nova gives every driver.
    """

    capabilities = {  # noqa: RUF012 - as Nova declares it
        **driver.ComputeDriver.capabilities,
        "has_imagecache": True,
        "supports_attach_interface": True,
        "supports_tagged_attach_interface": True,
        "supports_device_tagging": True,
        "supports_image_type_raw": True,
    }

    # Instances

    def process_instances_at_startup(self, context: Any, instances: Any) -> Any:
        for instance in instances:
            network = self._ports.of(instance, instance.get_network_info(), wait=False)
            remove = functools.partial(self._life.remove, instance.uuid, network)
            expected = translation.expected_at_start(instance)
            recover(self._engine, instance.uuid, expected, remove)
        self._wiring.resume()
        return instances

    def get_info(self, instance: Any, use_cache: bool = True) -> hardware.InstanceInfo:
        with translation.as_nova_errors(instance):
            container = self._guest(instance).get()
        return hardware.InstanceInfo(
            translation.POWER_STATES[container.state], internal_id=container.id
        )

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: str | None,
        allocations: Any,
        network_info: Any = None,
        block_device_info: Any = None,
        power_on: bool = True,
        accel_info: Any = None,
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
            self._life.boot(
                context,
                server,
                image_meta,
                self._ports.of(
                    instance,
                    network_info,
                    meanwhile=functools.partial(
                        meanwhile, context, instance, server, network_info, self._life.settings
                    ),
                ),
                translation.inputs(context, instance, image_meta, injected_files, admin_password),
                waiting=translation.WaitingServer(context, instance, self._hostname),
                power_on=power_on,
            )

    def rebuild(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: str | None,
        allocations: Any,
        bdms: Any,
        detach_block_devices: Callable[..., Any],
        attach_block_devices: Callable[..., Any],
        network_info: Any = None,
        evacuate: bool = False,
        block_device_info: Any = None,
        preserve_ephemeral: bool = False,
        accel_uuids: Any = None,
        reimage_boot_volume: bool = False,
    ) -> None:
        # A server is not given up for one that cannot be: a bad image is found out before.
        with (
            translation.as_build_errors(instance),
            image_ref.kept(context, instance, self._glance, self._life.image_of),
            translation.as_refused_rebuild(instance),
        ):
            policy.refuse(translation.wishes(instance, block_device_info, image_meta=image_meta))
            self._life.foresee(
                context,
                translation.server(instance, image_meta),
                image_meta,
                translation.inputs(context, instance, image_meta, injected_files, admin_password),
                translation.WaitingServer(context, instance, self._hostname),
            )
        raise NotImplementedError  # for Nova's own way then: destroy and spawn

    def destroy(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        network = self._ports.of(instance, network_info)
        with translation.as_nova_errors(instance):
            if destroy_disks:
                self._life.remove(instance.uuid, network)
            else:  # its files stay: Nova is about to revert a resize on this host
                self._life.stop(instance.uuid, network, translation.shutdown_timeout(instance))

    def cleanup(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        migrate_data: Any = None,
        destroy_vifs: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        ports = network_info if destroy_vifs else []
        self.destroy(context, instance, ports, block_device_info, destroy_disks)

    def power_on(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
    ) -> None:
        with translation.as_nova_errors(instance):
            self._life.start(
                translation.server(instance), self._ports.of(instance, network_info, wait=False)
            )

    def power_off(self, instance: Any, timeout: int = 0, retry_interval: int = 0) -> None:
        with translation.as_nova_errors(instance):
            network = self._ports.of(instance, instance.get_network_info())
            self._life.stop(instance.uuid, network, timeout)

    def reboot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        reboot_type: str,
        block_device_info: Any = None,
        bad_volumes_callback: Callable[..., Any] | None = None,
        accel_info: Any = None,
        share_info: Any = None,
    ) -> None:
        timeout = translation.shutdown_timeout(instance) if reboot_type == "SOFT" else 0
        network = self._ports.of(instance, network_info, wait=False)
        with translation.as_nova_errors(instance):
            self._life.restart(translation.server(instance), network, timeout)

    def resume_state_on_host_boot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        share_info: Any,
        block_device_info: Any = None,
    ) -> None:
        self.power_on(context, instance, network_info)

    def pause(self, instance: Any) -> None:
        with translation.as_nova_errors(instance):
            network = self._ports.of(instance, instance.get_network_info(), wait=False)
            self._life.pause(instance.uuid, network)

    def unpause(self, instance: Any) -> None:
        with translation.as_nova_errors(instance):
            network = self._ports.of(instance, instance.get_network_info(), wait=False)
            self._life.unpause(instance.uuid, network)

    def rescue(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        image_meta: Any,
        rescue_password: str,
        block_device_info: Any,
        share_info: Any,
    ) -> None:
        with translation.as_nova_errors(instance):
            inputs = translation.inputs(context, instance, image_meta, [], rescue_password)
            self._life.rescue(
                context,
                translation.stand_in(context, self._glance, instance, image_meta),
                image_meta,
                self._ports.of(instance, network_info, wait=False),
                # What the server was to do when it was new may be what has broken it.
                replace(inputs, user_data=None),
                waiting=translation.WaitingServer(context, instance, self._hostname),
                running=instance.power_state == power_state.RUNNING,
            )

    def unrescue(self, context: Any, instance: Any) -> None:
        with translation.as_nova_errors(instance):
            network = self._ports.of(instance, instance.get_network_info(), wait=False)
            self._life.start(replace(translation.server(instance), rescue=False), network)

    def set_admin_password(self, instance: Any, new_pass: str) -> None:
        with translation.as_password_errors(instance):
            self._guest(instance).set_password(translation.login(instance.image_meta, new_pass))
        translation.keep_password(instance, new_pass)

    # Size

    def migrate_disk_and_power_off(
        self,
        context: Any,
        instance: Any,
        dest: str,
        flavor: Any,
        network_info: Any,
        block_device_info: Any = None,
        timeout: int = 0,
        retry_interval: int = 0,
    ) -> str:
        with translation.as_refused_resize():
            recreate.refuse_move(self._hostname, translation.destination(context, instance))
            policy.refuse(translation.wishes(instance, block_device_info, flavor=flavor))
            network = self._ports.of(instance, network_info, wait=False)
            resized = translation.server(instance, flavor=flavor)
            self._life.prepare_resize(resized, network, timeout)
        return ""  # no disk is on its way

    def finish_migration(
        self,
        context: Any,
        migration: Any,
        instance: Any,
        disk_info: str,
        network_info: Any,
        image_meta: Any,
        resize_instance: bool,
        allocations: Any,
        block_device_info: Any = None,
        power_on: bool = True,
        share_info: Any = None,
    ) -> None:
        self._resize(instance, network_info, power_on=power_on)

    def confirm_migration(
        self, context: Any, migration: Any, instance: Any, network_info: Any
    ) -> None:
        """Do nothing: a resized server is the container that it was."""

    def finish_revert_migration(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        migration: Any,
        block_device_info: Any = None,
        power_on: bool = True,
        share_info: Any = None,
    ) -> None:
        self._resize(instance, network_info, power_on=power_on)

    def check_instance_shared_storage_local(self, context: Any, instance: Any) -> dict[str, str]:
        return {"host": self._hostname}

    def check_instance_shared_storage_remote(self, context: Any, data: Any) -> bool:
        return bool(data.get("host") == self._hostname)

    # Interfaces

    def attach_interface(self, context: Any, instance: Any, image_meta: Any, vif: Any) -> None:
        server = translation.server(instance)
        with translation.as_nova_errors(instance), contextlib.ExitStack() as undo:
            refuse_trunks(context, [vif["id"]], self._life.settings(server).rights)
            self._life.attach(server, vif, lambda: self._ports.now(context, instance))
            undo.callback(
                self._life.detach, server, vif, lambda: self._ports.now(context, instance)
            )
            metadata.describe_devices(context, instance)
            undo.pop_all()

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        server = translation.server(instance)
        with translation.as_nova_errors(instance):
            self._life.detach(server, vif, functools.partial(self._ports.now, context, instance))
        metadata.describe_devices(context, instance, without=vif["id"])

    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        with translation.as_nova_errors(instance):
            network = self._ports.of(instance, network_info, wait=False)
            self._life.repair_network(translation.server(instance), network)

    def unplug_vifs(self, instance: Any, network_info: Any) -> None:
        with translation.as_nova_errors(instance):
            self._wiring.unwire(instance, network_info)

    # What can be seen of them

    def get_console_output(self, context: Any, instance: Any) -> bytes:
        with translation.as_nova_errors(instance):
            return self._guest(instance).console()

    def get_serial_console(self, context: Any, instance: Any) -> console_type.ConsoleSerial:
        with translation.as_nova_errors(instance):
            host, port = self._consoles.open(instance.uuid, self._guest(instance).name)
        return console_type.ConsoleSerial(host=host, port=port)

    def get_diagnostics(self, instance: Any) -> dict[str, Any]:
        with translation.as_nova_errors(instance):
            return self._diagnostics(instance).as_dictionary()

    def get_instance_diagnostics(self, instance: Any) -> Any:
        with translation.as_nova_errors(instance):
            return self._diagnostics(instance).as_object()

    def trigger_crash_dump(self, instance: Any) -> None:
        with translation.as_nova_errors(instance):
            crash(self._engine, self._guest(instance))

    # Images

    def snapshot(
        self, context: Any, instance: Any, image_id: str, update_task_state: Callable[..., None]
    ) -> None:
        stages = translation.snapshot_stages(update_task_state)
        with translation.as_snapshot_errors(instance):
            self._snapshots.take(context, instance.uuid, image_id, self._life.commit, stages)

    def cache_image(self, context: Any, image_id: str) -> bool:
        return self._images.cache(context, translation.described(context, self._glance, image_id))

    def manage_image_cache(self, context: Any, all_instances: Any) -> None:
        self._snapshots.sweep(self._hostname)
        if CONF.image_cache.remove_unused_base_images:
            self._images.forget_unused(
                {instance.image_ref for instance in all_instances},
                CONF.image_cache.remove_unused_original_minimum_age_seconds,
            )

    # What the methods above are made of

    def _diagnostics(self, instance: Any) -> Diagnostics:
        told = self._life.told_rights(instance.uuid)
        return diagnostics_of(self._engine, self._guest(instance), instance, told)

    def _resize(self, instance: Any, network_info: Any, *, power_on: bool) -> None:
        network = self._ports.of(instance, network_info, wait=False)
        server = translation.server(instance)
        with translation.as_nova_errors(instance):
            self._life.resize(server, network, power_on=power_on)
        telling.tell_rights(server, self._life.settings)

    def _guest(self, instance: Any) -> Guest:
        return in_service(self._engine, instance.uuid)
