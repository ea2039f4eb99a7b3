# SPDX-License-Identifier: Apache-2.0
"""Ports in Nova's form, and plans of the ports."""

from typing import Any

from nova.network import model

from novadocker.virt.docker.wiring.plan import Plan, make_plan

PORT = "11111111-2222-3333-4444-555555555555"


def subnet(
    cidr: str,
    *addresses: str,
    gateway: str | None = None,
    routes: tuple[tuple[str, str | None], ...] = (),
    dns: tuple[str, ...] = (),
    **meta: Any,
) -> model.Subnet:
    """Make a subnet in Nova's form."""
    return model.Subnet(
        cidr=cidr,
        gateway=model.IP(address=gateway, type="gateway"),
        ips=[model.FixedIP(address=address) for address in addresses],
        routes=[model.Route(cidr=to, gateway=model.IP(address=via)) for to, via in routes],
        dns=[model.IP(address=address, type="dns") for address in dns],
        **meta,
    )


def vif(
    *subnets: model.Subnet,
    port: str = PORT,
    mtu: int | None = 1442,
    details: dict[str, Any] | None = None,
    **values: Any,
) -> model.VIF:
    """Make a port in Nova's form."""
    return model.VIF(
        **{
            "id": port,
            "address": "FA:16:3E:00:00:01",
            "network": model.Network(id="net", bridge="br-int", subnets=list(subnets), mtu=mtu),
            "type": "ovs",
            "details": details or {},
            "devname": f"tap{port}"[:14],
            **values,
        }
    )


def plan(*vifs: model.VIF, **values: Any) -> Plan:
    """Plan a server's network."""
    return make_plan(
        list(vifs), **{"hostname": "web", "vif_types": ("ovs", "vrouter", "tap"), **values}
    )


OVN = {"bound_drivers": {"0": "ovn"}}
V4 = subnet("10.0.0.0/24", "10.0.0.5", gateway="10.0.0.1")
