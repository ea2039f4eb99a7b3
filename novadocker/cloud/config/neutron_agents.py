# SPDX-License-Identifier: Apache-2.0
"""Configuration of Neutron's agents on a host: OVN's, or the four of Open vSwitch."""

from pathlib import Path

from novadocker.cloud.config import ini
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import LOOPBACK, PHYSICAL_NETWORK

OVN_METADATA = "ovn-metadata"
OPENVSWITCH, L3, DHCP, METADATA = (
    "neutron-openvswitch",
    "neutron-l3",
    "neutron-dhcp",
    "neutron-metadata",
)
_CONTEXTS = (
    "privsep",
    "privsep_namespace",
    "privsep_link",
    "privsep_ovs_vsctl",
    "privsep_conntrack",
    "privsep_dhcp_release",
)


def path(common: Common, host: ComputeHost, agent: str) -> Path:
    """Return an agent's file."""
    return common.layout.conf(host.service(agent)) / "agent.conf"


def ovn_metadata(common: Common, host: ComputeHost) -> dict[Path, str]:
    """Return the file of OVN's metadata agent."""
    sections: ini.Sections = {
        "DEFAULT": {**_defaults(common, host), **_metadata(common, host)},
        "agent": {"root_helper": ""},
        "ovs": {"ovsdb_connection": f"unix:{host.switch_socket}"},
        "ovn": {"ovn_sb_connection": common.layout.southbound_of(host)},
        "oslo_concurrency": {"lock_path": host.metadata_state / "locks"},
        **common.privsep(*_CONTEXTS),
    }
    return {path(common, host, OVN_METADATA): ini.render(sections)}


def openvswitch(common: Common, host: ComputeHost, datapath: str) -> dict[Path, str]:
    """Return the file of the Open vSwitch agent."""
    own: ini.Sections = {
        "ovs": {
            **_ovs(host),
            "tunnel_bridge": host.tunnel_bridge,
            "bridge_mappings": f"{PHYSICAL_NETWORK}:{host.external_bridge}",
            "local_ip": host.tunnel_address,
            "datapath_type": datapath,
            "of_listen_port": common.layout.ports.openflow,
        },
        "agent": {"root_helper": "", "tunnel_types": "vxlan", "extensions": "qos"},
        "securitygroup": {"firewall_driver": "openvswitch", "enable_security_group": True},
    }
    return _file(common, host, OPENVSWITCH, own)


def l3(common: Common, host: ComputeHost) -> dict[Path, str]:
    """Return the file of the L3 agent."""
    own: ini.Sections = {"ovs": _ovs(host), "agent": {"root_helper": ""}}
    options = {
        "interface_driver": "openvswitch",
        # A router's proxy for the metadata service and its helpers are below it.
        "metadata_proxy_socket": host.metadata_socket,
    }
    return _file(common, host, L3, own, options)


def dhcp(common: Common, host: ComputeHost) -> dict[Path, str]:
    """Return the file of the DHCP agent."""
    own: ini.Sections = {"ovs": _ovs(host), "agent": {"root_helper": ""}}
    options = {
        "interface_driver": "openvswitch",
        # On routed networks too: there it has the service's IPv6 address, and the router has not.
        "force_metadata": True,
        "metadata_proxy_socket": host.metadata_socket,
    }
    return _file(common, host, DHCP, own, options)


def metadata(common: Common, host: ComputeHost) -> dict[Path, str]:
    """Return the file of the metadata agent."""
    return _file(common, host, METADATA, {}, _metadata(common, host))


def _file(
    common: Common,
    host: ComputeHost,
    agent: str,
    own: ini.Sections,
    options: ini.Section | None = None,
) -> dict[Path, str]:
    sections: ini.Sections = {
        "DEFAULT": {
            **_defaults(common, host),
            "transport_url": common.transport_url,
            **(options or {}),
        },
        **own,
        "oslo_concurrency": {"lock_path": host.metadata_state / "locks"},
        **common.privsep(*_CONTEXTS),
    }
    return {path(common, host, agent): ini.render(sections)}


def _defaults(common: Common, host: ComputeHost) -> ini.Section:
    return {**common.logging, "host": host.name, "state_path": host.metadata_state}


def _ovs(host: ComputeHost) -> ini.Section:
    return {
        "integration_bridge": host.integration_bridge,
        "ovsdb_connection": f"unix:{host.switch_socket}",
    }


def _metadata(common: Common, host: ComputeHost) -> ini.Section:
    return {
        "metadata_proxy_socket": host.metadata_socket,
        "metadata_proxy_shared_secret": common.credentials.metadata,
        "nova_metadata_host": LOOPBACK,
        "nova_metadata_port": common.layout.ports.nova_metadata,
        # None of its own: the agent answers in its one process.
        "metadata_workers": 0,
    }
