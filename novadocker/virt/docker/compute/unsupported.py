# SPDX-License-Identifier: Apache-2.0
"""Calls of Nova for virtual machines alone: refused with a reason, before anything changes.

Each method raises what makes Nova put the server back as it was and show the reason, in the
answer of the API where Nova waits for one, else in the server's event and fault. What is not
here Nova itself refuses, by the driver's capabilities and traits.
"""

from typing import Any, NoReturn

from nova import exception
from nova.virt import driver

NOT_FOR_CONTAINERS = "not for containers: "
_NO_MEMORY_IMAGE = "the memory of their processes cannot be written to disk; pause or shelve it"
_NO_SCREEN = "they have no screen; ask for the serial console or the console log"
_NO_SWAP = "open files cannot follow to another volume; detach it, then migrate or retype it"
_NO_SHARES = "no shares are mounted in them; attach a volume instead"
_NO_LIVE_MIGRATION = "their processes cannot move while they run"
_NO_AGENT = "no agent in them stops their writing; a snapshot is taken while they are paused"


class Unsupported(driver.ComputeDriver):
    """The part of the driver's interface that is not for containers."""

    # The memory of a server

    def suspend(self, context: Any, instance: Any) -> NoReturn:
        raise exception.InstanceFaultRollback(
            exception.InstanceSuspendFailure(reason=NOT_FOR_CONTAINERS + _NO_MEMORY_IMAGE)
        )

    def resume(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        share_info: Any = None,
    ) -> NoReturn:
        raise exception.InstanceFaultRollback(
            exception.InstanceResumeFailure(reason=NOT_FOR_CONTAINERS + _NO_MEMORY_IMAGE)
        )

    def check_can_live_migrate_destination(
        self,
        context: Any,
        instance: Any,
        src_compute_info: Any,
        dst_compute_info: Any,
        block_migration: bool = False,
        disk_over_commit: bool = False,
    ) -> NoReturn:
        raise exception.MigrationPreCheckError(reason=NOT_FOR_CONTAINERS + _NO_LIVE_MIGRATION)

    def check_can_live_migrate_source(
        self, context: Any, instance: Any, dest_check_data: Any, block_device_info: Any = None
    ) -> NoReturn:
        raise exception.MigrationPreCheckError(reason=NOT_FOR_CONTAINERS + _NO_LIVE_MIGRATION)

    # Its screen

    def get_vnc_console(self, context: Any, instance: Any) -> NoReturn:
        raise _no_console("novnc")

    def get_spice_console(self, context: Any, instance: Any) -> NoReturn:
        raise _no_console("spice-html5")

    def get_mks_console(self, context: Any, instance: Any) -> NoReturn:
        raise _no_console("webmks")

    # Its block devices

    def swap_volume(
        self,
        context: Any,
        old_connection_info: Any,
        new_connection_info: Any,
        instance: Any,
        mountpoint: Any,
        resize_to: Any,
    ) -> NoReturn:
        raise exception.InvalidVolume(reason=NOT_FOR_CONTAINERS + _NO_SWAP)

    def mount_share(self, context: Any, instance: Any, share_mapping: Any) -> NoReturn:
        raise exception.ShareMountError(
            share_id=share_mapping.share_id,
            server_id=instance.uuid,
            reason=NOT_FOR_CONTAINERS + _NO_SHARES,
        )

    def quiesce(self, context: Any, instance: Any, image_meta: Any) -> NoReturn:
        raise exception.InstanceQuiesceNotSupported(NOT_FOR_CONTAINERS + _NO_AGENT)

    def unquiesce(self, context: Any, instance: Any, image_meta: Any) -> NoReturn:
        raise exception.InstanceQuiesceNotSupported(NOT_FOR_CONTAINERS + _NO_AGENT)


def _no_console(kind: str) -> exception.ConsoleTypeUnavailable:
    return exception.ConsoleTypeUnavailable(
        f"Console type {kind} is {NOT_FOR_CONTAINERS}{_NO_SCREEN}"
    )
