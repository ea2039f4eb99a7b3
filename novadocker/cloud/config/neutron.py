# SPDX-License-Identifier: Apache-2.0
"""The configuration of Neutron's API and of OVN's metadata agent."""

from pathlib import Path

from novadocker.cloud.config import ini
from novadocker.cloud.config.common import SILENT, Common
from novadocker.cloud.host import ComputeHost
from novadocker.cloud.layout import LOOPBACK, PHYSICAL_NETWORK

NETWORK_MTU = 1500


def files(common: Common) -> dict[Path, str]:
    """Return the API's files."""
    conf = common.layout.conf("neutron")
    return {
        conf / "neutron.conf": ini.render(_server(common)),
        conf / "ml2_conf.ini": ini.render(_ml2(common)),
    }


def _server(common: Common) -> ini.Sections:
    layout = common.layout
    return {
        "DEFAULT": {
            **common.logging,
            "state_path": layout.data / "neutron",
            "core_plugin": "ml2",
            "service_plugins": "ovn-router,segments,trunk,qos",
            "transport_url": common.transport_url,
            "auth_strategy": "keystone",
            "api_workers": 1,
            "rpc_workers": 0,
            "notify_nova_on_port_status_changes": True,
            "notify_nova_on_port_data_changes": True,
            # The least that it takes; a booting server waits for it.
            "send_events_interval": 1,
            "api_paste_config": layout.venv / "etc/neutron/api-paste.ini",
            "dns_domain": "novalocal.",
            "global_physnet_mtu": NETWORK_MTU,
        },
        "database": common.database("neutron"),
        "nova": common.service_user,
        "placement": common.service_user,
        "oslo_concurrency": common.locks("neutron"),
        "oslo_messaging_notifications": SILENT,
        "quotas": dict.fromkeys(
            ("quota_network", "quota_subnet", "quota_port", "quota_router", "quota_floatingip"),
            -1,
        ),
        "keystone_authtoken": common.authtoken,
    }


def _ml2(common: Common) -> ini.Sections:
    layout = common.layout
    return {
        "ml2": {
            "type_drivers": "flat,geneve,local",
            "project_network_types": "geneve",
            "mechanism_drivers": "ovn",
            "extension_drivers": "port_security,qos",
            "overlay_ip_version": 4,
        },
        "ml2_type_flat": {"flat_networks": PHYSICAL_NETWORK},
        "ml2_type_geneve": {"vni_ranges": "1:65536", "max_header_size": 38},
        "securitygroup": {"enable_security_group": True},
        "ovn": {
            "ovn_nb_connection": layout.northbound,
            "ovn_sb_connection": layout.southbound,
            "ovn_l3_scheduler": "leastloaded",
            "ovn_metadata_enabled": True,
            "enable_distributed_floating_ip": True,
        },
    }


def agent_files(common: Common, host: ComputeHost) -> dict[Path, str]:
    """Return the metadata agent's files on one host."""
    layout = common.layout
    sections: ini.Sections = {
        "DEFAULT": {
            **common.logging,
            "host": host.name,
            "state_path": host.metadata_state,
            "metadata_proxy_socket": host.metadata_socket,
            "metadata_proxy_shared_secret": common.credentials.metadata,
            "nova_metadata_host": LOOPBACK,
            "nova_metadata_port": layout.ports.nova_metadata,
            # None of its own: the agent answers in its one process.
            "metadata_workers": 0,
        },
        "agent": {"root_helper": ""},
        "ovs": {"ovsdb_connection": f"unix:{host.switch_socket}"},
        "ovn": {"ovn_sb_connection": layout.southbound},
        "oslo_concurrency": {"lock_path": host.metadata_state / "locks"},
        **common.privsep("privsep", "privsep_namespace", "privsep_link", "privsep_ovs_vsctl"),
    }
    name = host.service("ovn-metadata")
    return {layout.conf(name) / "metadata.conf": ini.render(sections)}
