# SPDX-License-Identifier: Apache-2.0
"""What is done for a new server while Neutron plugs its ports, which takes longer than this."""

from collections.abc import Callable
from typing import Any

from novadocker.policy import Settings
from novadocker.virt.docker.compute import telling
from novadocker.virt.docker.compute.trunks import refuse_trunks
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.translation import metadata


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
    refuse_trunks(context, [vif["id"] for vif in network_info or ()], settings_of(server).rights)
    metadata.describe_devices(context, instance)
    telling.tell_rights(server, settings_of)
