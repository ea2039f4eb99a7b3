# SPDX-License-Identifier: Apache-2.0
"""Nova's configuration: a file for the control plane, another for each compute host."""

from pathlib import Path

from novadocker.cloud.config import horizon, ini
from novadocker.cloud.config.common import SILENT, Common
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import LOOPBACK, RESOLVER
from novadocker.cloud.layout.settings import CONTRAIL, OVN, OVS
from novadocker.cloud.machine import criu
from novadocker.cloud.underlay import libvirt, opensdn

CONTROL = "nova"
# Why an action was refused stands in its event, which Nova shows to administrators alone.
POLICY = '"os_compute_api:os-instance-actions:events:details": "rule:project_reader_or_admin"\n'


def files(common: Common) -> dict[Path, str]:
    """Return the control plane's files."""
    layout = common.layout
    paste = (layout.venv / "etc/nova/api-paste.ini").read_text()
    conf = layout.conf(CONTROL)
    return {
        conf / "nova.conf": ini.render(_control(common)),
        conf / "api-paste.ini": paste,
        conf / "policy.yaml": POLICY,
    }


def compute_files(common: Common, host: ComputeHost) -> dict[Path, str]:
    """Return nova-compute's files on a host, without a database."""
    name = host.service("nova-compute")
    return {common.layout.conf(name) / "nova.conf": ini.render(_compute(common, host))}


def _control(common: Common) -> ini.Sections:
    state = common.layout.data / "nova"
    return {
        "DEFAULT": {
            **_defaults(common),
            "state_path": state,
            "host": "control",
            # Else the scheduler waits up to a minute before it first looks for hosts.
            "periodic_fuzzy_delay": 0,
            # A new host is opened by ``up`` when its zone is known.
            "enable_new_services": False,
            # Else a server whose owner names no zone could land on the fake host.
            "default_schedule_zone": "nova",
        },
        **_shared(common),
        "api": {"auth_strategy": "keystone", "dhcp_domain": "novalocal"},
        "api_database": common.database("nova_api"),
        "database": common.database("nova"),
        "conductor": {"workers": 1},
        "scheduler": {
            "workers": 1,
            "discover_hosts_in_cells_interval": 5,
            # On one host a second attempt would only replace the first one's reason by its own.
            "max_attempts": 1 if common.layout.settings.computes == 1 else 3,
        },
        "quota": dict.fromkeys(("instances", "cores", "ram", "server_groups", "key_pairs"), -1),
        "oslo_concurrency": common.locks("nova"),
        "oslo_policy": {"policy_file": common.layout.conf(CONTROL) / "policy.yaml"},
        "keystone_authtoken": common.authtoken,
    }


def _compute(common: Common, host: ComputeHost) -> ini.Sections:
    return {
        "DEFAULT": {
            **_defaults(common),
            "my_ip": host.management_address,
            "state_path": host.nova_state,
            "instances_path": host.nova_state / "instances",
            "host": host.name,
            "compute_driver": host.driver,
            # Containers share processors, and most servers of a trial do nothing: by the
            # default of four, two processors were full with eight servers.
            "cpu_allocation_ratio": 32.0,
            # Containers do not come back by themselves after the machine restarts.
            "resume_guests_state_on_host_boot": True,
        },
        **_shared(common, host.management_address),
        "docker": {
            "host_url": host.engine.url,
            "criu": str(criu.program()),
            **_network(common, host),
        },
        "os_vif_ovs": {"ovsdb_connection": f"unix:{host.switch_socket}"},
        **_machines(host),
        "oslo_concurrency": {"lock_path": host.nova_state / "locks"},
        **common.privsep(
            "vif_plug_ovs_privileged",
            "privsep_osbrick",
            "nova_sys_admin",
            "novadocker_privileged",
            "novadocker_volumes_privileged",
            "novadocker_files_privileged",
            "novadocker_checkpoint_privileged",
        ),
    }


def _machines(host: ComputeHost) -> ini.Sections:
    if not host.has_machines:
        return {}
    # Interpreted, with a processor of QEMU's own: /dev/kvm is not for us.
    return {
        "libvirt": {
            "virt_type": "qemu",
            "cpu_mode": "none",
            "connection_uri": libvirt.uri(host),
        }
    }


def _network(common: Common, host: ComputeHost) -> ini.Section:
    options: dict[str, ini.Section] = {
        OVN: {"dns_servers": RESOLVER},
        OVS: {"metadata_by_dhcp": True},
        CONTRAIL: {
            "vrouter_agent_url": f"http://{LOOPBACK}:{opensdn.AGENT_PORT}",
            "vrouter_ports_directory": opensdn.ports_directory(host),
        },
    }
    return options[common.layout.settings.network]


def _defaults(common: Common) -> ini.Section:
    return {
        **common.logging,
        "my_ip": LOOPBACK,
        "transport_url": common.transport_url,
        "rpc_response_timeout": 60,
        "report_interval": 10,
        "service_down_time": 60,
        # Nova's default, with which a resize moves a server; one host has nowhere else to go.
        "allow_resize_to_same_host": common.layout.settings.computes == 1,
        # A host that is only tried out is stopped often: do not make its owner wait.
        "graceful_shutdown_timeout": 5,
        "manager_shutdown_timeout": 3,
    }


def _shared(common: Common, address: str = LOOPBACK) -> dict[str, ini.Section]:
    layout = common.layout
    user = common.service_user
    metadata = {
        "service_metadata_proxy": True,
        "metadata_proxy_shared_secret": common.credentials.metadata,
    }
    return {
        "glance": {"endpoint_override": layout.url(layout.ports.glance), "timeout": 60},
        "placement": user,
        "neutron": {**user, **metadata},
        "cinder": user,
        "service_user": {"send_service_user_token": True, **user},
        "serial_console": {
            "enabled": True,
            "base_url": f"ws://{LOOPBACK}:{layout.ports.serial_proxy}/",
            "proxyclient_address": address,
            "serialproxy_host": LOOPBACK,
            "serialproxy_port": layout.ports.serial_proxy,
        },
        "vnc": {"enabled": False},
        # Whose pages may open a console, with the token that is needed for it.
        "console": {"allowed_origins": ",".join(horizon.NAMES)},
        "key_manager": {"backend": "nova.keymgr.conf_key_mgr.ConfKeyManager"},
        "filter_scheduler": {"track_instance_changes": False},
        "oslo_messaging_notifications": SILENT,
    }
