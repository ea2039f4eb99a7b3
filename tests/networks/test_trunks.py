# SPDX-License-Identifier: Apache-2.0
"""Trunk ports of a cloud whose servers may or may not make interfaces."""

import pytest
from openstack.exceptions import HttpException

from novadocker.cloud.layout.settings import CONTRAIL
from tests.support.cloud_site import Site, Tenant, until


@pytest.fixture(autouse=True)
def _neutrons_own(site: Site) -> None:
    if site.layout.settings.network == CONTRAIL:
        pytest.skip(f"this cloud's network is {site.layout.settings.network}")


def test_a_trunks_port_is_refused_to_who_cannot_use_it(
    site: Site, tenant: Tenant, web: str
) -> None:
    """A port with subports is refused at boot and to a running server; without them it is taken."""
    name = tenant.network("10.79.0.0/24", routed=False)
    parent, child = (tenant.port(name, f"10.79.0.{number}") for number in (5, 6))
    neutron = site.demo.network
    trunk = neutron.create_trunk(port_id=parent, name="test-trunk")
    try:
        subport = {"port_id": child, "segmentation_type": "vlan", "segmentation_id": 101}
        neutron.add_trunk_subports(trunk, [subport])
        refused = tenant.boot(web, status="ERROR", ports=(parent,))
        assert "subports have the VLANs 101" in site.fault(refused)
        tenant.delete(refused)
        running = tenant.boot(web, networks=(name,))
        with pytest.raises(HttpException):
            site.demo.compute.create_server_interface(running, port_id=parent)
        until(lambda: not neutron.get_port(parent).device_id, "the port to be free again")
        neutron.delete_trunk_subports(trunk, [subport])
        tenant.boot(web, ports=(parent,))
    finally:
        for server in list(tenant.servers):
            tenant.delete(server)
        neutron.delete_trunk(trunk)
