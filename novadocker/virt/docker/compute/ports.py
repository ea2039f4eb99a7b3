# SPDX-License-Identifier: Apache-2.0
"""An instance's ports as Nova has them, and Neutron's news that they are up."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, NoReturn

import nova.conf
from nova import context as nova_context
from nova import exception, objects
from nova.compute import utils as compute_utils
from nova.compute import vm_states
from oslo_log import log as logging

from novadocker import errors
from novadocker.virt.docker import translation
from novadocker.virt.docker.network.audit import Audited
from novadocker.virt.docker.network.networking import Network

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)
_RUNNING = (vm_states.ACTIVE, vm_states.PAUSED, vm_states.RESCUED)


class Ports:
    """Nova's side of servers' networks.

    Args:
        virtapi: what Nova gives every driver; it waits for events.
        silent: VIF types for which Neutron sends none.
    """

    def __init__(self, virtapi: Any, silent: Collection[str] = ()) -> None:
        self._virtapi = virtapi
        self._silent = silent

    def of(
        self,
        instance: Any,
        network_info: Any,
        *,
        wait: bool = True,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Network:
        """Describe an instance's network.

        Args:
            instance: Nova's.
            network_info: its ports; not touched, since that may block.
            wait: whether who plugs them waits until Neutron says that they are up.
            meanwhile: what is done between the plugging and the wait.

        Returns:
            The network.
        """
        info = [] if network_info is None else network_info
        if not wait:
            return Network(instance, info, contextlib.nullcontext)
        return Network(instance, info, lambda: self._until_plugged(instance, info, meanwhile))

    def now(self, context: Any, instance: Any) -> Network:
        """Describe an instance's network as Nova's database has it by now.

        Others attach and detach too, and each tells the database first.

        Args:
            context: of the request.
            instance: Nova's.

        Returns:
            The network, of which nothing is waited for.
        """
        compute_utils.refresh_info_cache_for_instance(context, instance)
        return self.of(instance, instance.get_network_info(), wait=False)

    def settled(self, host: str) -> Iterator[Audited]:
        """List the servers of a host that should run and that Nova has no task for.

        Args:
            host: the compute host.

        Yields:
            Each with its ports, of which nothing is waited for.
        """
        as_of = time.monotonic()
        found = objects.InstanceList.get_by_host(
            nova_context.get_admin_context(), host, expected_attrs=["info_cache"]
        )
        for instance in found:
            if instance.task_state is None and instance.vm_state in _RUNNING:
                network = self.of(instance, instance.get_network_info(), wait=False)
                yield Audited(instance.uuid, instance.hostname, network, as_of)

    @contextlib.contextmanager
    def _until_plugged(
        self, instance: Any, network_info: Any, meanwhile: Callable[[], None]
    ) -> Iterator[None]:
        timeout = CONF.vif_plugging_timeout
        expected = [
            ("network-vif-plugged", vif["id"])
            for vif in network_info
            if timeout and vif.get("active", True) is False and vif.get("type") not in self._silent
        ]
        ports = ", ".join(port for _, port in expected)
        try:
            with self._virtapi.wait_for_instance_event(
                instance, expected, timeout=timeout, error_callback=translation.plugging_failed
            ):
                yield
                meanwhile()
        except exception.InstanceEventTimeout as error:
            late = errors.PlugTimeout(port=ports, seconds=timeout)
            if CONF.vif_plugging_is_fatal:
                raise late from error
            LOG.warning("%s; going on, as vif_plugging_is_fatal is off", late, instance=instance)


def plugging_failed(event_name: str, _instance: Any) -> NoReturn:
    """Refuse to wait on: Neutron says that it could not plug a port.

    Args:
        event_name: Nova's name of the event, with the port's id.

    Raises:
        WiringError: always.
    """
    port = event_name.removeprefix("network-vif-plugged-")
    raise errors.WiringError(port=port, reason="Neutron failed to plug it")
