# SPDX-License-Identifier: Apache-2.0
"""Servers whose source died in the middle of their handover: the destination is asked.

Until it answers they stay frozen, and Nova's record says that they are being migrated.
"""

import threading
from collections.abc import Iterable

from nova import context as nova_context
from nova import objects
from nova.compute import vm_states
from nova.network import neutron
from nova.scheduler.client import report
from oslo_log import log as logging

from novadocker.virt.docker import translation
from novadocker.virt.docker.actions.interfaces import Interfaces
from novadocker.virt.docker.actions.lifecycle import Lifecycle
from novadocker.virt.docker.actions.recovery.recovery import Recovery
from novadocker.virt.docker.actions.recovery.repairs import Expected
from novadocker.virt.docker.checkpoint.handover import Handover
from novadocker.virt.docker.compute.channel import Channel
from novadocker.virt.docker.compute.live.channel import live_host
from novadocker.virt.docker.compute.networks.ports import Ports
from novadocker.virt.nova_types import Instance, RequestContext

LOG = logging.getLogger(__name__)


class Handovers:
    """Handed over servers of one host.

    Args:
        lifecycle: removes frozen copies.
        recovery: thaws what did not come to its destination.
        interfaces: opens the ports again.
        channel: asks the destinations.
        ports: ports of instances.
        host: name of this host in Nova.
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        recovery: Recovery,
        interfaces: Interfaces,
        channel: Channel,
        ports: Ports,
        host: str,
    ) -> None:
        self._lifecycle = lifecycle
        self._recovery = recovery
        self._interfaces = interfaces
        self._channel = channel
        self._ports = ports
        self._host = host
        self._open: set[str] = set()
        self._asking = threading.Lock()

    def find(self, uuids: Iterable[str]) -> set[str]:
        """Find servers that an end of nova-compute has left handed over, for ``settle``.

        Args:
            uuids: ids of the instances that Nova has on this host.

        Returns:
            Ids of the servers that nobody may touch before they are settled.
        """
        notes = (Handover.find(uuid) for uuid in uuids)
        self._open = {note.uuid for note in notes if note and note.source == self._host}
        return set(self._open)

    def remember(self, uuid: str) -> None:
        """Have ``settle`` ask about a server whose destination did not answer.

        Args:
            uuid: id of the instance.
        """
        self._open.add(uuid)

    def settle(self) -> None:
        """Ask the destinations, in a thread of its own; those that do not answer are asked again.

        To be called from time to time; without an open handover it costs nothing.
        """
        if self._open and self._asking.acquire(blocking=False):
            threading.Thread(target=self._settle_all, name="handovers", daemon=True).start()

    def _settle_all(self) -> None:
        try:
            context = nova_context.get_admin_context()
            for uuid in sorted(self._open):
                try:
                    self._settle(context, objects.Instance.get_by_uuid(context, uuid))
                except Exception:
                    # No server ends the work for the others; this one is asked for again.
                    LOG.exception("Server %s stays frozen", uuid)
        finally:
            self._asking.release()

    def _settle(self, context: RequestContext, instance: Instance) -> None:
        note = Handover.find(instance.uuid)
        if note and instance.host == self._host:
            host = live_host(self._channel, note.host, context, instance)
            if host.has(note.uuid, note.migration):
                self._finish(context, instance, note)
            else:
                self._take_back(instance, note)
        self._open.discard(instance.uuid)

    def _take_back(self, instance: Instance, note: Handover) -> None:
        note.forget()
        network = self._ports.network_of(instance, instance.get_network_info())
        self._recovery.at_start(note.uuid, Expected.AWAKE, network)
        self._interfaces.repair(translation.server(instance), network)
        instance.vm_state, instance.task_state = vm_states.ACTIVE, None
        instance.save()
        LOG.warning("It did not come to %s, and runs on here", note.host, instance=instance)

    def _finish(self, context: RequestContext, instance: Instance, note: Handover) -> None:
        # As ComputeManager._post_live_migration does, whose work was cut off.
        migration = objects.Migration.get_by_uuid(context, note.migration)
        network = neutron.API()
        ports = self._ports.network_of(instance, instance.get_network_info())
        network.migrate_instance_start(context, instance, migration)
        self._lifecycle.remove(note.uuid, ports)
        node = objects.ComputeNode.get_first_node_by_host_for_old_compat(context, note.host)
        instance.apply_migration_context()
        instance.drop_migration_context()
        instance.host, instance.node = note.host, node.hypervisor_hostname
        instance.compute_id, instance.task_state, instance.progress = node.id, None, 0
        instance.vm_state = vm_states.ACTIVE  # only active servers move
        instance.save()
        network.setup_networks_on_host(context, instance, self._host, teardown=True)
        migration.status = "completed"
        migration.save()
        report.report_client_singleton().delete_allocation_for_instance(
            context, migration.uuid, consumer_type="migration"
        )
        note.forget()
        LOG.warning("It runs on %s, where it was handed over to", note.host, instance=instance)
