# SPDX-License-Identifier: Apache-2.0
"""Trunks: ports with subports inside, told apart by VLAN tags.

Whoever has such a port makes an interface for each tag, which takes a right that containers do
not have unless their flavor grants it. Nova tells a driver of no trunk, so Neutron is asked.
"""

from collections.abc import Collection
from typing import Any

from keystoneauth1.exceptions import ClientException
from neutronclient.common.exceptions import NeutronClientException, NotFound
from nova.network import neutron
from oslo_log import log as logging

from novadocker.errors import TrunkRefused
from novadocker.policy.settings import Rights
from novadocker.virt.nova_types import RequestContext

LOG = logging.getLogger(__name__)
_RIGHT = "NET_ADMIN"


def refuse_trunks(context: RequestContext, ports: Collection[str], rights: Rights) -> None:
    """Refuse ports whose subports a server could not use.

    Where Neutron cannot be asked they are taken: most are no trunk's, and it is in the log.

    Args:
        context: request, with its token.
        ports: the ports' ids.
        rights: the server's.

    Raises:
        TrunkRefused: a port is a trunk's, with subports, and the server may not make interfaces.
    """
    if _RIGHT in rights.capabilities or not ports:
        return
    for trunk in _trunks(context, ports):
        if trunk["sub_ports"]:
            raise TrunkRefused(
                port=trunk["port_id"],
                trunk=trunk["id"],
                vlans=", ".join(str(each["segmentation_id"]) for each in trunk["sub_ports"]),
            )


def _trunks(context: RequestContext, ports: Collection[str]) -> list[dict[str, Any]]:
    try:
        client = neutron.get_client(context, admin=True)
        found: list[dict[str, Any]] = client.list_trunks(port_id=list(ports))["trunks"]
    except NotFound:  # this Neutron has none
        return []
    except (NeutronClientException, ClientException) as error:
        LOG.warning("Cannot ask Neutron whether ports %s are trunks': %s", ", ".join(ports), error)
        return []
    return found
