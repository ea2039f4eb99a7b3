# SPDX-License-Identifier: Apache-2.0
"""Ports of an instance by Nova's record."""

import time
from collections.abc import Callable, Collection, Iterator

import nova.conf
from nova import context as nova_context
from nova import objects
from nova.compute import utils as compute_utils
from nova.compute import vm_states
from oslo_log import log as logging

from novadocker.policy import Settings
from novadocker.virt.docker.compute.networks.plug_events import PlugEvents, unknown
from novadocker.virt.docker.compute.networks.trunks import refuse_trunks
from novadocker.virt.docker.compute.tags import Tags, tell_rights
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.network.audit import Audited
from novadocker.virt.docker.network.networking import Network
from novadocker.virt.docker.translation import metadata
from novadocker.virt.nova_types import Instance, NetworkInfo, RequestContext, Vif, VirtAPI

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)
_RUNNING = (vm_states.ACTIVE, vm_states.PAUSED, vm_states.RESCUED)


class Ports:
    """Networks of servers as Nova knows them.

    Args:
        virtapi: Nova's side, which waits for events.
        silent: VIF types for which Neutron sends no events.
        installed: tells at once that a port's flows are in place; False where nothing says so.
    """

    def __init__(
        self,
        virtapi: VirtAPI,
        silent: Collection[str] = (),
        installed: Callable[[Vif], bool] = unknown,
    ) -> None:
        self._virtapi = virtapi
        self._silent = silent
        self._installed = installed

    def network_of(self, instance: Instance, network_info: NetworkInfo) -> Network:
        """Return an instance's network, of which nothing is waited for.

        Args:
            instance: the server in Nova.
            network_info: ports of the server; not read here, since that may block.
        """
        return Network(instance, [] if network_info is None else network_info)

    def new_network_of(self, instance: Instance, network_info: NetworkInfo) -> Network:
        """Return the network of an instance whose ports Neutron has yet to report as up.

        Args:
            instance: the server in Nova.
            network_info: ports of the server; not read here, since that may block.
        """
        network = self.network_of(instance, network_info)

        def expected() -> PlugEvents:
            unreported = self._unreported(network.info)
            return PlugEvents(self._virtapi, instance, unreported, self._installed)

        return Network(instance, network.info, expected)

    def current_network(self, context: RequestContext, instance: Instance) -> Network:
        """Return an instance's network by the present record in Nova's database.

        Others attach and detach too, and each tells the database first.
        """
        compute_utils.refresh_info_cache_for_instance(context, instance)
        return self.network_of(instance, instance.get_network_info())

    def running(self, host: str) -> Iterator[Audited]:
        """Yield servers of a host with a state of running and without a task of Nova's."""
        seen_at = time.monotonic()  # before the query: a change during it makes the record old
        found = objects.InstanceList.get_by_host(
            nova_context.get_admin_context(), host, expected_attrs=["info_cache"]
        )
        for instance in found:
            if instance.task_state is not None or instance.vm_state not in _RUNNING:
                continue
            try:
                network = self.network_of(instance, instance.get_network_info())
            except Exception:
                # A record that cannot be read ends the turn of no other server.
                LOG.exception("The ports of a server cannot be read", instance=instance)
                continue
            yield Audited(instance.uuid, instance.hostname, network, seen_at)

    def _unreported(self, network_info: NetworkInfo) -> list[Vif]:
        if not CONF.vif_plugging_timeout:
            return []
        return [
            vif
            for vif in network_info
            if vif.get("active", True) is False and vif.get("type") not in self._silent
        ]


def while_plugging(
    context: RequestContext,
    instance: Instance,
    server: Server,
    network: Network,
    settings: Settings,
    tags: Tags,
) -> None:
    """Do work during the wait for Neutron, at no cost in time for a boot.

    Args:
        context: context of the request.
        instance: the server in Nova.
        server: the same server, in our values.
        network: ports of the server, plugged by now.
        settings: limits and rights of the server.
        tags: tags of all servers, which tell its tenant of its rights.

    Raises:
        TrunkRefused: the server could not use one of the ports.
    """
    refuse_trunks(context, [vif["id"] for vif in network.info], settings.rights)
    metadata.describe_devices(context, instance)
    tell_rights(tags, server, settings)
