# SPDX-License-Identifier: Apache-2.0
"""``tempest.conf`` for the launched cloud: a pure function from contents to text."""

import textwrap
from dataclasses import dataclass
from pathlib import Path

from novadocker.cloud.config import ini
from novadocker.cloud.layout.layout import REGION

LATEST = "latest"
# Differences of a tiny machine without an SSH server, whose QEMU interprets.
_MACHINES: ini.Sections = {
    "validation": {"run_validation": False},
    "compute": {
        "hypervisor_type": "QEMU",
        "build_timeout": 600,
        "shelved_offload_time": 0,
    },
    "image": {"container_formats": "bare", "disk_formats": "qcow2,raw"},
    "scenario": {"img_disk_format": "qcow2", "img_container_format": "bare"},
    "compute-feature-enabled": {
        "suspend": True,
        # Both are written into a machine's disk by its own agent, which the tiny one lacks.
        "change_password": False,
        "personality": False,
    },
}
# [api] dhcp_domain of the launched Nova.
DOMAIN = "novalocal"


@dataclass(frozen=True)
class Orchestration:
    """Further values for Heat's own tests.

    Attributes:
        user: owner of the stacks, in a project of the same name.
        password: the user's.
        image: id of the image of their servers: its user data are run, and it has curl.
        network: name of the network that their servers are on.
        key_pair: name of the user's.
    """

    user: str
    password: str
    image: str
    network: str
    key_pair: str


@dataclass(frozen=True)
class Subject:
    """The cloud, as far as Tempest wants to know it.

    Attributes:
        identity_url: Keystone's API.
        admin_password: the administrator's.
        public_network: id of the external network.
        public_network_name: name of the public network.
        firewall: driver of Neutron's security groups.
        extensions: aliases of what Neutron's API has beyond its core.
        image: id of the image that servers boot.
        other_image: id of the one that they are rebuilt to.
        flavor: id of the flavor that servers have.
        larger_flavor: id of the one that they are resized to.
        image_file: a saved image, which tests upload.
        prologue: words before every command in a server.
        workspace: where Tempest may write.
        orchestration: for Heat's own tests; none where they are not run.
        machines: True where the images are disks of virtual machines.
    """

    identity_url: str
    admin_password: str
    public_network: str
    public_network_name: str
    firewall: str
    extensions: tuple[str, ...]
    image: str
    other_image: str
    flavor: str
    larger_flavor: str
    image_file: Path
    prologue: str
    workspace: Path
    orchestration: Orchestration | None = None
    machines: bool = False


def render(subject: Subject) -> str:
    """Return the file's text.

    Args:
        subject: the cloud.
    """
    heat = _heat(subject, subject.orchestration) if subject.orchestration else {}
    sections = {**_running(subject), **_services(subject), **_features(subject), **heat}
    if subject.machines:
        for name, section in _MACHINES.items():
            sections[name] = {**sections[name], **section}
    return ini.render(sections)


def _running(subject: Subject) -> ini.Sections:
    return {
        "DEFAULT": {"log_dir": subject.workspace / "log", "log_file": "tempest.log"},
        "oslo_concurrency": {"lock_path": subject.workspace / "locks"},
        "auth": {
            "use_dynamic_credentials": True,
            "create_isolated_networks": True,
            "tempest_roles": "member",
            "admin_username": "admin",
            "admin_project_name": "admin",
            "admin_domain_name": "Default",
            "admin_password": subject.admin_password,
        },
        "validation": {
            "run_validation": True,
            "connect_method": "floating",
            "auth_method": "keypair",
            "image_ssh_user": "root",
            "image_alt_ssh_user": "root",
            "ssh_shell_prologue": _folded(subject.prologue),
        },
        "scenario": {
            "img_file": subject.image_file,
            "img_disk_format": "raw",
            "img_container_format": "docker",
            # Addresses do not come by DHCP here, so there is no client to renew them.
            "dhcp_client": "",
        },
    }


def _services(subject: Subject) -> ini.Sections:
    return {
        "identity": {"uri_v3": subject.identity_url, "auth_version": "v3", "region": REGION},
        "compute": {
            "image_ref": subject.image,
            "image_ref_alt": subject.other_image,
            "flavor_ref": subject.flavor,
            "flavor_ref_alt": subject.larger_flavor,
            "min_microversion": "2.1",
            "max_microversion": LATEST,
            "min_compute_nodes": 1,
            "hypervisor_type": "docker",
            "shelved_offload_time": 0,
        },
        "placement": {"min_microversion": "1.0", "max_microversion": LATEST},
        "image": {"container_formats": "docker,bare", "disk_formats": "raw"},
        "network": {
            "public_network_id": subject.public_network,
            "floating_network_name": subject.public_network_name,
        },
        "service_available": {
            "nova": True,
            "glance": True,
            "neutron": True,
            "cinder": False,
            "swift": False,
            "horizon": False,
            "heat": subject.orchestration is not None,
        },
    }


def _features(subject: Subject) -> ini.Sections:
    return {
        "identity-feature-enabled": {"api_v3": True},
        "compute-feature-enabled": {
            "disk_config": True,
            "hostname_fqdn_sanitization": True,
            "dhcp_domain": f".{DOMAIN}",
            "change_password": True,
            "console_output": True,
            "resize": True,
            "pause": True,
            "shelve": True,
            "rescue": True,
            "enable_instance_password": True,
            "interface_attach": True,
            "snapshot": True,
            "personality": True,
            "config_drive": True,
            "metadata_service": True,
            "serial_console": True,
            # Issues of their own, or one host only.
            "suspend": True,
            "shelve_migrate": False,
            "cold_migration": False,
            "live_migration": False,
            # Not for containers: a screen, a disk bus, a disk to rescue from.
            "vnc_console": False,
            "spice_console": False,
            "ide_bus": False,
            "stable_rescue": False,
            # Volumes come with their issue.
            "attach_encrypted_volume": False,
            "swap_volume": False,
            "volume_multiattach": False,
        },
        "network-feature-enabled": {
            "ipv6": True,
            "ipv6_subnet_attributes": True,
            "port_admin_state_change": True,
            "port_security": True,
            "floating_ips": True,
            "api_extensions": ",".join(subject.extensions),
        },
        "neutron_plugin_options": {
            "firewall_driver": subject.firewall,
            "available_type_drivers": "flat,geneve,vxlan,local",
            "dns_domain": DOMAIN,
        },
        "image-feature-enabled": {"api_v2": True, "import_image": False},
    }


def _heat(subject: Subject, heat: Orchestration) -> ini.Sections:
    return {
        "heat_plugin": {
            "auth_url": subject.identity_url,
            "username": heat.user,
            "password": heat.password,
            "project_name": heat.user,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
            "admin_username": "admin",
            "admin_password": subject.admin_password,
            "admin_project_name": "admin",
            "region": REGION,
            # Without image_ref: tests of servers with cloud-init and agents leave themselves out.
            "minimal_image_ref": heat.image,
            "minimal_instance_type": subject.flavor,
            "keypair_name": heat.key_pair,
            "fixed_network_name": heat.network,
            "network_for_ssh": heat.network,
            "floating_network_name": subject.public_network_name,
            "build_interval": 1,
            "build_timeout": 300,
        },
        "heat_features_enabled": {"stack_cancel": True},
    }


def _folded(script: str) -> str:
    """Write a script as a value of several lines: the file's format wants them indented."""
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
    # A dollar sign would name another option; and the command follows on the last line.
    return textwrap.indent(code.replace("$", "$$"), "    ").strip() + ";"
