# SPDX-License-Identifier: Apache-2.0
"""Calls of nova.virt.driver.ComputeDriver that look into a server: consoles and diagnostics."""

from typing import Any

from nova.compute import power_state
from nova.console import type as console_type
from nova.virt import hardware

from novadocker.errors import ContainerNotFound
from novadocker.virt.docker import translation
from novadocker.virt.docker.actions.crash_dump import crash
from novadocker.virt.docker.compute.base import Composed
from novadocker.virt.docker.container.guest import CONSOLE_BYTES
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.container.serving import serving
from novadocker.virt.docker.translation.diagnostics import Diagnostics, diagnostics_of
from novadocker.virt.nova_types import Instance, RequestContext


class Introspection(Composed):
    """Sights of the servers on one host."""

    def get_info(self, instance: Instance, use_cache: bool = True) -> hardware.InstanceInfo:
        with translation.as_nova_errors(instance):
            # Nova asks for each server at its start, one after another.
            hangs = self._parts.repairs.hangs(instance.uuid)
            container = serving(self._parts.engine, instance.uuid, hangs=hangs)
            if container is None:
                raise ContainerNotFound(name=container_name(instance.uuid))
            state = translation.POWER_STATES[container.state]
            if state == power_state.SHUTDOWN and self._is_on_disk(instance):
                state = power_state.SUSPENDED
        return hardware.InstanceInfo(state, internal_id=container.id)

    def get_console_output(self, context: RequestContext, instance: Instance) -> bytes:
        with translation.as_nova_errors(instance):
            output = self._guest(instance).console(self._parts.health.of(instance.uuid))
            earlier = self._parts.runner.directory(instance.uuid).kept_console()
        return (earlier + output)[-CONSOLE_BYTES:]

    def get_serial_console(
        self, context: RequestContext, instance: Instance
    ) -> console_type.ConsoleSerial:
        with translation.as_nova_errors(instance):
            host, port = self._parts.consoles.open(instance.uuid, self._guest(instance).name)
        return console_type.ConsoleSerial(host=host, port=port)

    def get_diagnostics(self, instance: Instance) -> dict[str, Any]:
        with translation.as_nova_errors(instance):
            return self._diagnostics(instance).as_dictionary()

    def get_instance_diagnostics(self, instance: Instance) -> Any:
        with translation.as_nova_errors(instance):
            return self._diagnostics(instance).as_object()

    def trigger_crash_dump(self, instance: Instance) -> None:
        with translation.as_nova_errors(instance):
            crash(self._parts.engine, self._guest(instance))

    def _is_on_disk(self, instance: Instance) -> bool:
        checkpoints = self._parts.checkpoints
        if not checkpoints.recorded(instance.uuid):  # as of nearly all: no call of the engine
            return False
        container = self._parts.engine.find(container_name(instance.uuid), brief=True)
        return checkpoints.suspended(instance.uuid, container)

    def _diagnostics(self, instance: Instance) -> Diagnostics:
        told = self._parts.lifecycle.told_rights(instance.uuid)
        return diagnostics_of(self._parts.engine, self._guest(instance), instance, told)
