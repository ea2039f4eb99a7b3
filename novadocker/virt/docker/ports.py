# SPDX-License-Identifier: Apache-2.0
"""An instance's ports as Nova has them, and Neutron's news that they are up."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import nova.conf
from nova import exception
from nova.compute import utils as compute_utils
from oslo_log import log as logging

from novadocker.virt.docker import errors, translation
from novadocker.virt.docker.network import Network

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


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
