# SPDX-License-Identifier: Apache-2.0
"""Configuration of Neutron's server for OVN, for Neutron's agents, and for Contrail."""

from pathlib import Path

from novadocker.cloud.config import ini
from novadocker.cloud.config.common import SILENT, Common
from novadocker.cloud.layout.layout import PHYSICAL_NETWORK, RESOLVER
from novadocker.cloud.layout.settings import CONTRAIL, OVN, OVS
from novadocker.cloud.underlay import opensdn

NETWORK_MTU = 1500
_SERVICE_PLUGINS = {
    OVN: "ovn-router,segments,trunk,qos",
    OVS: "router,segments,trunk,qos",
    # Contrail's own plugin has no more of Neutron's: its routers are route targets.
    CONTRAIL: "",
}


def files(common: Common) -> dict[Path, str]:
    """Return the API's files."""
    conf = common.layout.conf("neutron")
    entries = opensdn.entry_points(common.layout) if _has(common, CONTRAIL) else {}
    return {
        conf / "neutron.conf": ini.render(_server(common)),
        conf / "ml2_conf.ini": ini.render(_ml2(common)),
        **entries,
    }


def _has(common: Common, network: str) -> bool:
    return common.layout.settings.network == network


def _server(common: Common) -> ini.Sections:
    layout = common.layout
    return {
        "DEFAULT": {
            **common.logging,
            "state_path": layout.data / "neutron",
            "core_plugin": "ml2",
            "service_plugins": _SERVICE_PLUGINS[layout.settings.network],
            "transport_url": common.transport_url,
            "auth_strategy": "keystone",
            "api_workers": 1,
            # With none Neutron tells its agents nothing.
            "rpc_workers": 1 if _has(common, OVS) else 0,
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
    choose = {OVN: _with_ovn, OVS: _with_agents, CONTRAIL: _with_contrail}
    return choose[common.layout.settings.network](common)


def _with_ovn(common: Common) -> ini.Sections:
    layout = common.layout
    return {
        "ml2": {
            "type_drivers": "flat,geneve,local",
            "project_network_types": "geneve",
            "mechanism_drivers": "ovn",
            "extension_drivers": _extensions(common),
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
            "dns_servers": RESOLVER,
            "enable_distributed_floating_ip": True,
            # With OVN 23.03 an SNAT rule for everything also takes the answers between two
            # floating addresses of one router, which are lost then.
            "ovn_router_indirect_snat": False,
        },
    }


def _extensions(common: Common) -> str:
    return "port_security,qos" + (",dns_domain_ports" if common.layout.settings.dns else "")


def _with_agents(common: Common) -> ini.Sections:
    return {
        "ml2": {
            "type_drivers": "flat,vxlan,local",
            "project_network_types": "vxlan",
            "mechanism_drivers": "openvswitch",
            "extension_drivers": _extensions(common),
        },
        "ml2_type_flat": {"flat_networks": PHYSICAL_NETWORK},
        "ml2_type_vxlan": {"vni_ranges": "1:65536"},
        "securitygroup": {"enable_security_group": True},
    }


def _with_contrail(common: Common) -> ini.Sections:
    return {
        "ml2": {
            "type_drivers": "vxlan",
            "project_network_types": "vxlan",
            "mechanism_drivers": opensdn.MECHANISM_DRIVER,
            "extension_drivers": "port_security",
        },
        "ml2_type_vxlan": {"vni_ranges": "1:65536"},
        "securitygroup": {"enable_security_group": True},
        opensdn.MECHANISM_DRIVER: {"networks": opensdn.networks_directory(common.layout)},
    }
