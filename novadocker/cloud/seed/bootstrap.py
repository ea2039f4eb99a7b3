# SPDX-License-Identifier: Apache-2.0
"""First contents for a tenant: flavors, networks, a security group, a key pair."""

from typing import Any

from novadocker.cloud.layout.layout import PHYSICAL_NETWORK, Layout
from novadocker.cloud.layout.settings import CONTRAIL
from novadocker.cloud.seed.identity import connect

# Name, virtual processors, MB of memory, GB of disk.
FLAVORS = (
    ("c1.nano", 1, 64, 1),
    ("c1.tiny", 1, 128, 2),
    ("c1.small", 1, 512, 5),
    ("c1.medium", 2, 1024, 10),
)
PRIVATE_CIDR = "10.10.0.0/24"
# Nova's reason at a service that nobody has opened yet.
_NEW = "New compute service disabled due to config option."
# Addresses below are the machine's own.
_FIRST_FLOATING, _LAST_FLOATING = 10, -6


def ensure_flavors(layout: Layout) -> None:
    """Make the missing public flavors."""
    with connect(layout, "admin") as cloud:
        present = {flavor.name for flavor in cloud.compute.flavors()}
        for name, vcpus, ram, disk in FLAVORS:
            if name not in present:
                cloud.compute.create_flavor(
                    name=name, flavorid=name, vcpus=vcpus, ram=ram, disk=disk, is_public=True
                )


def ensure_public_network(layout: Layout) -> None:
    """Make the external network, with the machine itself as a member."""
    with connect(layout, "admin") as cloud:
        network = cloud.network.find_network("public") or cloud.network.create_network(
            name="public",
            is_router_external=True,
            is_shared=False,
            provider_network_type="flat",
            provider_physical_network=PHYSICAL_NETWORK,
        )
        if not cloud.network.find_subnet("public", network_id=network.id):
            addresses = layout.settings.public_network
            pool = {
                "start": str(addresses[_FIRST_FLOATING]),
                "end": str(addresses[_LAST_FLOATING]),
            }
            cloud.network.create_subnet(
                name="public",
                network_id=network.id,
                ip_version=4,
                cidr=str(addresses),
                gateway_ip=str(layout.public_gateway.ip),
                allocation_pools=[pool],
                is_dhcp_enabled=False,
            )


def ensure_tenant(layout: Layout) -> None:
    """Make the demo project's network, router, security group and key pair."""
    with connect(layout, "demo") as cloud:
        subnet = _ensure_private_network(cloud.network)
        if layout.settings.network != CONTRAIL:
            _ensure_router(cloud.network, subnet)
        _ensure_web_group(cloud.network)
        _ensure_keypair(cloud.compute, layout)


def open_host(layout: Layout, host: str, zone: str | None) -> None:
    """Put a host into an availability zone, if any, and let the scheduler use it.

    A host that an administrator has disabled stays so.
    """
    with connect(layout, "admin") as cloud:
        if zone is not None:
            _put_into_zone(cloud.compute, host, zone)
        for service in cloud.compute.services(binary="nova-compute", host=host):
            if service.status == "disabled" and service.disabled_reason == _NEW:
                cloud.compute.enable_service(service)


def _put_into_zone(compute: Any, host: str, zone: str) -> None:
    aggregate = compute.find_aggregate(zone) or compute.create_aggregate(
        name=zone, availability_zone=zone
    )
    if host not in (aggregate.hosts or ()):
        compute.add_host_to_aggregate(aggregate, host)


def _ensure_private_network(network: Any) -> Any:
    private = network.find_network("private", ignore_missing=True) or network.create_network(
        name="private"
    )
    return network.find_subnet("private", network_id=private.id) or network.create_subnet(
        name="private",
        network_id=private.id,
        ip_version=4,
        cidr=PRIVATE_CIDR,
    )


def _ensure_router(network: Any, subnet: Any) -> None:
    external = network.find_network("public")
    router = network.find_router("router") or network.create_router(
        name="router", external_gateway_info={"network_id": external.id}
    )
    joined = {
        address["subnet_id"]
        for port in network.ports(device_id=router.id)
        for address in port.fixed_ips
    }
    if subnet.id not in joined:
        network.add_interface_to_router(router, subnet_id=subnet.id)


def _ensure_web_group(network: Any) -> None:
    if network.find_security_group("web"):
        return
    group = network.create_security_group(
        name="web", description="ping, SSH and HTTP from everywhere"
    )
    for protocol, port in (("icmp", None), ("tcp", 22), ("tcp", 80)):
        network.create_security_group_rule(
            security_group_id=group.id,
            direction="ingress",
            ether_type="IPv4",
            protocol=protocol,
            port_range_min=port,
            port_range_max=port,
        )


def _ensure_keypair(compute: Any, layout: Layout) -> None:
    path = layout.demo_key
    present = compute.find_keypair("demo")
    if present and path.exists():
        return
    if present:
        # Its private half is lost, so it is of no use.
        compute.delete_keypair(present)
    path.touch(mode=0o600)
    path.write_text(compute.create_keypair(name="demo").private_key)
