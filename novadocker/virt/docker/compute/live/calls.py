# SPDX-License-Identifier: Apache-2.0
"""Calls of nova.virt.driver.ComputeDriver about servers that move while they run.

Nova passes an object of its own between the hosts, and cleans up after one class of them alone:
libvirt's. It carries this driver's account in a field of free text.
"""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from nova import exception
from nova.compute import utils as compute_utils
from nova.objects import migrate_data as nova_data
from oslo_log import log as logging

from novadocker import policy
from novadocker.errors import DockerDriverError, HandedOver, MoveAborted, MoveRefused
from novadocker.virt.docker import translation
from novadocker.virt.docker.checkpoint.account import Account
from novadocker.virt.docker.checkpoint.handover import Handover
from novadocker.virt.docker.compute.base import Composed
from novadocker.virt.docker.compute.live.channel import live_host
from novadocker.virt.docker.compute.tags import tell_rights
from novadocker.virt.docker.migration.live.course import Course, Progress
from novadocker.virt.nova_types import (
    BlockDeviceInfo,
    Instance,
    MigrateData,
    NetworkInfo,
    RequestContext,
)

LOG = logging.getLogger(__name__)

EVENT = "compute_move_of_container"
_NOTHING_TO_FORCE = (
    "a container is frozen once, for its memory, and a move of it always comes to its end; abort "
    "it, or wait"
)


class LiveCalls(Composed):
    """Live migrations of the servers on one host."""

    # On the destination

    def check_can_live_migrate_destination(
        self,
        context: RequestContext,
        instance: Instance,
        src_compute_info: Any,
        dst_compute_info: Any,
        block_migration: bool = False,
        disk_over_commit: bool = False,
    ) -> MigrateData:
        with translation.as_failed_check():
            policy.refuse(translation.wishes(instance, None))
            account = self._parts.live.arrivals.account(instance.uuid)
        told = {"host": self._parts.hostname, "account": account.as_dictionary()}
        return nova_data.LibvirtLiveMigrateData(
            filename=json.dumps(told),
            image_type="",
            instance_relative_path="",
            block_migration=False,
            disk_over_commit=False,
            # By these Nova cleans up on the source afterwards, and here after a failure.
            is_shared_instance_path=False,
            is_shared_block_storage=False,
        )

    def cleanup_live_migration_destination_check(
        self, context: RequestContext, dest_check_data: MigrateData
    ) -> None:
        """Do nothing: the check has made nothing."""

    def pre_live_migration(
        self,
        context: RequestContext,
        instance: Instance,
        block_device_info: BlockDeviceInfo,
        network_info: NetworkInfo,
        disk_info: Any,
        migrate_data: MigrateData,
    ) -> MigrateData:
        ports = _bound_here(migrate_data) or network_info
        network = self._parts.ports.network_of(instance, ports)
        server = translation.server(instance)
        with translation.as_nova_errors(instance):
            self._parts.live.arrivals.make_ready(context, server, instance.image_meta, network)
        # The ports are plugged when the server comes, and Nova is not to wait for them before.
        migrate_data.vifs = []
        return migrate_data

    def rollback_live_migration_at_destination(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        block_device_info: BlockDeviceInfo,
        destroy_disks: bool = True,
        migrate_data: MigrateData = None,
    ) -> None:
        with translation.as_nova_errors(instance):
            migration = str(migrate_data.migration.uuid)
            self._parts.live.arrivals.discard(instance.uuid, migration)

    def post_live_migration_at_destination(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        block_migration: bool = False,
        block_device_info: BlockDeviceInfo = None,
    ) -> None:
        server = translation.server(instance)
        network = self._parts.ports.network_of(instance, network_info)
        # A fault here would put a server that runs into ERROR; the audit tries again.
        self._parts.repairs.attempt(
            instance.uuid, lambda: self._parts.interfaces.repair(server, network)
        )
        tell_rights(self._parts.tags, server, self._parts.allowance.settings(server))

    # On the source

    def check_can_live_migrate_source(
        self,
        context: RequestContext,
        instance: Instance,
        dest_check_data: MigrateData,
        block_device_info: BlockDeviceInfo = None,
    ) -> MigrateData:
        with translation.as_failed_check():
            told = _told(dest_check_data)
            host = live_host(self._parts.channel, told["host"], context, instance)
            server, account = translation.server(instance), Account.read(told["account"])
            self._parts.ephemeral_disks.refuse_departure(instance.uuid)
            self._parts.live.departures.refuse(server, account, host)
        return dest_check_data

    def live_migration(
        self,
        context: RequestContext,
        instance: Instance,
        dest: str,
        post_method: Callable[..., Any],
        recover_method: Callable[..., Any],
        block_migration: bool = False,
        migrate_data: MigrateData = None,
    ) -> None:
        migration = migrate_data.migration
        network = self._parts.ports.network_of(instance, instance.get_network_info())
        try:
            self._parts.live.departures.send_running(
                translation.server(instance),
                network,
                live_host(self._parts.channel, dest, context, instance),
                str(migration.uuid),
                Course(lambda progress: _tell(migration, progress)),
            )
        except HandedOver:
            self._parts.handovers.remember(instance.uuid)
            raise  # Nova sets the server to ERROR; nobody may thaw it
        except MoveAborted as error:
            LOG.info("%s", error, instance=instance)
            recover_method(
                context, instance, dest, migrate_data=migrate_data, migration_status="cancelled"
            )
        except (DockerDriverError, OSError) as error:
            LOG.warning("Not moved to %s: %s", dest, error, instance=instance)
            self._note(context, instance, error)
            recover_method(context, instance, dest, migrate_data=migrate_data)
        else:
            try:
                post_method(context, instance, dest, block_migration, migrate_data)
            finally:
                # It runs there for certain. What Nova did not come to remove here goes now.
                self._parts.lifecycle.remove(instance.uuid, network)
                forget_handover(instance.uuid)

    def live_migration_abort(self, instance: Instance) -> None:
        with translation.as_nova_errors(instance):
            self._parts.live.departures.abort(instance.uuid)

    def live_migration_force_complete(self, instance: Instance) -> None:
        with translation.as_nova_errors(instance):
            raise MoveRefused(reason=_NOTHING_TO_FORCE)

    def rollback_live_migration_at_source(
        self, context: RequestContext, instance: Instance, migrate_data: MigrateData
    ) -> None:
        """Do nothing: the server runs on already."""

    def post_live_migration(
        self,
        context: RequestContext,
        instance: Instance,
        block_device_info: BlockDeviceInfo,
        migrate_data: MigrateData = None,
    ) -> None:
        """Do nothing: there are no volumes."""

    def post_live_migration_at_source(
        self, context: RequestContext, instance: Instance, network_info: NetworkInfo
    ) -> None:
        # Before the frozen copy is killed, so that no farewell of it reaches a peer. By Nova's
        # record, since its own list was emptied in ``pre_live_migration``.
        network = self._parts.ports.network_of(instance, instance.get_network_info())
        with translation.as_nova_errors(instance):
            self._parts.networking.unwire(network)

    def _note(self, context: RequestContext, instance: Instance, error: Exception) -> None:
        # Nova tells an administrator that the migration failed, and nobody why.
        event = compute_utils.EventReporter(
            context, EVENT, self._parts.hostname, instance.uuid, graceful_exit=True
        )
        with contextlib.suppress(exception.NovaException), event:
            # Of other exceptions Nova tells no more than the name of their class.
            raise exception.NovaException(str(error)) from error


def forget_handover(uuid: str) -> None:
    """Forget that a server was handed over; safe to repeat.

    Args:
        uuid: id of the instance.
    """
    note = Handover.find(uuid)
    if note:
        note.forget()


def is_of_a_container(migrate_data: MigrateData) -> bool:
    """Tell whether the data of a live migration are this driver's, and not libvirt's.

    Args:
        migrate_data: as Nova passes it between the hosts.
    """
    return "filename" in migrate_data and migrate_data.filename.startswith("{")


def _bound_here(migrate_data: MigrateData) -> list[Any]:
    if "vifs" not in migrate_data:
        return []
    vifs = [each.get_dest_vif() for each in migrate_data.vifs]
    for vif in vifs:
        vif["delegate_create"] = True  # else os-vif leaves the port to libvirt
    return vifs


def _told(migrate_data: MigrateData) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(migrate_data.filename)
    except (AttributeError, NotImplementedError, ValueError) as error:
        raise MoveRefused(reason="the destination runs no containers") from error
    return told


def _tell(migration: Any, progress: Progress) -> None:
    for kind in ("disk", "memory"):
        total, done = getattr(progress, f"{kind}_total"), getattr(progress, kind)
        setattr(migration, f"{kind}_total", total)
        setattr(migration, f"{kind}_processed", done)
        setattr(migration, f"{kind}_remaining", max(0, total - done))
    migration.save()
