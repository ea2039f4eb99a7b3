# SPDX-License-Identifier: Apache-2.0
"""What is done for a new server while Neutron plugs its ports, which takes longer than this."""

from collections.abc import Callable
from typing import Any

from novadocker.virt.docker import metadata, telling
from novadocker.virt.docker.policy import Settings
from novadocker.virt.docker.server import Server
from novadocker.virt.docker.trunks import refuse_trunks


def meanwhile(
    context: Any,
    instance: Any,
    server: Server,
    network_info: Any,
    settings_of: Callable[[Server], Settings],
) -> None:
    """Refuse ports that it could not use, and tell its tenant of interfaces and rights.

    Args:
        context: of the request.
        instance: Nova's.
        server: the same, as ours.
        network_info: its ports.
        settings_of: says what a server may use and do.

    Raises:
        TrunkRefused: it could not use a port.
    """
    refuse_trunks(context, [vif["id"] for vif in network_info or ()], settings_of(server))
    metadata.describe_devices(context, instance)
    telling.tell_rights(server, settings_of)
