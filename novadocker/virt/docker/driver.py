# SPDX-License-Identifier: Apache-2.0
"""DockerDriver: Nova's calls into ours and back, and nothing else."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nova.conf
from nova import exception
from nova.image import glance
from nova.virt import driver, event, hardware
from oslo_log import log as logging

from novadocker.virt.docker import conf, errors, policy, translation
from novadocker.virt.docker.engine import Engine, State
from novadocker.virt.docker.events import Watcher
from novadocker.virt.docker.guest import Guest
from novadocker.virt.docker.host import Host, Ratios, Reserved
from novadocker.virt.docker.images import Images
from novadocker.virt.docker.lifecycle import Lifecycle, Network, Options
from novadocker.virt.docker.server import LABEL_HOST, LABEL_INSTANCE, NAME_PREFIX
from novadocker.virt.docker.wiring import Wiring

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


class DockerDriver(driver.ComputeDriver):
    """Nova's compute driver interface (nova.virt.driver.ComputeDriver), for the Docker Engine.

    Args:
        virtapi: what Nova gives every driver.
    """

    capabilities = {  # noqa: RUF012 - as Nova declares it
        **driver.ComputeDriver.capabilities,
        "has_imagecache": True,
        "supports_image_type_raw": True,
    }

    def __init__(self, virtapi: Any) -> None:
        super().__init__(virtapi)
        conf.register(CONF)
        self._engine = Engine(translation.connection(CONF.docker))
        self._host = Host(self._engine, require_userns=CONF.docker.require_userns)
        self._images = Images(self._engine, glance.API())
        self._wiring = Wiring()
        self._hostname = CONF.host
        self._lifecycle: Lifecycle | None = None
        self._watcher: Watcher | None = None

    # The service itself

    def init_host(self, host: str) -> None:
        conf.refuse_unusable(CONF)
        self._hostname = host
        self._host.check()
        self._wiring.warm_up()
        self._lifecycle = Lifecycle(self._engine, self._images, self._wiring, self._options())

    def cleanup_host(self, host: str) -> None:
        if self._watcher:
            self._watcher.stop()
            self._watcher = None

    def get_available_nodes(self, refresh: bool = False) -> list[str]:
        return [self._hostname]

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        self._watch()
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
        traits = self._host.traits()
        provider_tree.add_traits(nodename, *(name for name, has in traits.items() if has))
        provider_tree.remove_traits(nodename, *(name for name, has in traits.items() if not has))

    def get_host_ip_addr(self) -> str:
        return str(CONF.my_ip)

    def list_instances(self) -> list[str]:
        return sorted(self._engine.names(f"{LABEL_HOST}={self._hostname}"))

    def list_instance_uuids(self) -> list[str]:
        found = self._engine.names(f"{LABEL_HOST}={self._hostname}")
        return sorted(labels[LABEL_INSTANCE] for labels in found.values())

    # Instances

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
            policy.refuse(translation.wishes(instance, injected_files, block_device_info))
            self._life.boot(
                context,
                translation.server(instance, image_meta),
                image_meta,
                self._network(instance, network_info),
                power_on=power_on,
            )

    def destroy(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        with translation.as_nova_errors(instance):
            self._life.remove(instance.uuid, self._network(instance, network_info))

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
        self.destroy(context, instance, network_info if destroy_vifs else [])

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
                translation.server(instance), self._network(instance, network_info, wait=False)
            )

    def power_off(self, instance: Any, timeout: int = 0, retry_interval: int = 0) -> None:
        with translation.as_nova_errors(instance):
            network = self._network(instance, instance.get_network_info())
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
        network = self._network(instance, network_info, wait=False)
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
            self._guest(instance).pause()

    def unpause(self, instance: Any) -> None:
        with translation.as_nova_errors(instance):
            self._guest(instance).unpause()

    def get_console_output(self, context: Any, instance: Any) -> bytes:
        with translation.as_nova_errors(instance):
            return self._guest(instance).console()

    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        with translation.as_nova_errors(instance):
            network = self._network(instance, network_info, wait=False)
            self._life.repair_network(translation.server(instance), network)

    def unplug_vifs(self, instance: Any, network_info: Any) -> None:
        with translation.as_nova_errors(instance):
            self._wiring.unwire(instance, network_info)

    # Images

    def manage_image_cache(self, context: Any, all_instances: Any) -> None:
        used = {instance.image_ref for instance in all_instances}
        self._images.forget_unused(
            used, CONF.image_cache.remove_unused_original_minimum_age_seconds
        )

    # What the methods above are made of

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

    def _options(self) -> Options:
        return Options(
            instances_path=Path(CONF.instances_path),
            domain=CONF.api.dhcp_domain or "",
            dns_servers=tuple(CONF.docker.dns_servers),
            inject_key=CONF.docker.inject_key,
            log_max_size=CONF.docker.log_max_size,
            gate_timeout=CONF.docker.gate_timeout,
            abilities=self._host.abilities(CONF.docker.pids_limit),
        )

    def _guest(self, instance: Any) -> Guest:
        return Guest(self._engine, f"{NAME_PREFIX}{instance.uuid}")

    def _network(self, instance: Any, network_info: Any, *, wait: bool = True) -> Network:
        info = [] if network_info is None else network_info
        plugged = contextlib.nullcontext
        return Network(
            instance,
            info,
            (lambda: self._until_plugged(instance, info)) if wait else plugged,
        )

    @contextlib.contextmanager
    def _until_plugged(self, instance: Any, network_info: Any) -> Iterator[None]:
        timeout = CONF.vif_plugging_timeout
        expected = [
            ("network-vif-plugged", vif["id"])
            for vif in network_info
            if timeout and vif.get("active", True) is False
        ]
        ports = ", ".join(port for _, port in expected)
        try:
            with self.virtapi.wait_for_instance_event(
                instance, expected, timeout=timeout, error_callback=translation.plugging_failed
            ):
                yield
        except exception.InstanceEventTimeout as error:
            late = errors.PlugTimeout(port=ports, seconds=timeout)
            if CONF.vif_plugging_is_fatal:
                raise late from error
            LOG.warning("%s; going on, as vif_plugging_is_fatal is off", late, instance=instance)

    def _tell_nova(self, uuid: str, state: State) -> None:
        self.emit_event(
            event.LifecycleEvent(uuid, translation.TRANSITIONS[translation.POWER_STATES[state]])
        )
