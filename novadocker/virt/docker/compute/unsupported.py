# SPDX-License-Identifier: Apache-2.0
"""Calls of Nova for virtual machines alone: refused with a reason, before anything changes.

Each method raises what makes Nova put the server back as it was and show the reason, in the
answer of the API where Nova waits for one, else in the server's event and fault. What is not
here Nova itself refuses, by the driver's capabilities and traits.
"""

from typing import Any, NoReturn

from nova import exception
from nova.virt import driver

from novadocker.virt.nova_types import (
    ConnectionInfo,
    ImageMeta,
    Instance,
    RequestContext,
)

NOT_FOR_CONTAINERS = "not for containers: "
_NO_SCREEN = "they have no screen; ask for the serial console or the console log"
_NO_SWAP = "open files cannot follow to another volume; detach it, then migrate or retype it"
_NO_SHARES = "no shares are mounted in them; attach a volume instead"
_NO_AGENT = "no agent in them stops their writing; a snapshot is taken while they are paused"


class Unsupported(driver.ComputeDriver):
    """The part of the driver's interface that is not for containers."""

    # Its screen

    def get_vnc_console(self, context: RequestContext, instance: Instance) -> NoReturn:
        raise _no_console("novnc")

    def get_spice_console(self, context: RequestContext, instance: Instance) -> NoReturn:
        raise _no_console("spice-html5")

    def get_mks_console(self, context: RequestContext, instance: Instance) -> NoReturn:
        raise _no_console("webmks")

    # Its block devices

    def swap_volume(
        self,
        context: RequestContext,
        old_connection_info: ConnectionInfo,
        new_connection_info: ConnectionInfo,
        instance: Instance,
        mountpoint: Any,
        resize_to: Any,
    ) -> NoReturn:
        raise exception.InvalidVolume(reason=NOT_FOR_CONTAINERS + _NO_SWAP)

    def mount_share(
        self, context: RequestContext, instance: Instance, share_mapping: Any
    ) -> NoReturn:
        raise exception.ShareMountError(
            share_id=share_mapping.share_id,
            server_id=instance.uuid,
            reason=NOT_FOR_CONTAINERS + _NO_SHARES,
        )

    def quiesce(
        self, context: RequestContext, instance: Instance, image_meta: ImageMeta
    ) -> NoReturn:
        raise exception.InstanceQuiesceNotSupported(NOT_FOR_CONTAINERS + _NO_AGENT)

    def unquiesce(
        self, context: RequestContext, instance: Instance, image_meta: ImageMeta
    ) -> NoReturn:
        raise exception.InstanceQuiesceNotSupported(NOT_FOR_CONTAINERS + _NO_AGENT)


def _no_console(kind: str) -> exception.ConsoleTypeUnavailable:
    return exception.ConsoleTypeUnavailable(
        f"Console type {kind} is {NOT_FOR_CONTAINERS}{_NO_SCREEN}"
    )
