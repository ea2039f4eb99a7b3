# SPDX-License-Identifier: Apache-2.0
import configparser
from pathlib import Path

import pytest

from novadocker.cloud.config import (
    glance,
    ini,
    keystone,
    mariadb,
    neutron,
    neutron_agents,
    nova,
    placement,
    rabbitmq,
)
from novadocker.cloud.config.common import Common


def _parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(default_section="none")
    parser.read_string(text)
    return parser


def test_ini_writes_booleans_as_oslo_documents_them() -> None:
    """Values are written plainly, one section after the other."""
    text = ini.render({"a": {"x": True, "n": 3}, "b": {"p": Path("/p")}})
    assert text == "[a]\nx = true\nn = 3\n\n[b]\np = /p\n"


def test_nova_compute_names_no_database(common: Common) -> None:
    """A compute host with a database in the configuration would log errors at start."""
    (text,) = nova.compute_files(common, common.layout.hosts[0]).values()
    parsed = _parsed(text)
    assert not {"database", "api_database"} & set(parsed.sections())
    assert "mysql" not in text


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("DEFAULT", "compute_driver", "novadocker.virt.docker.DockerDriver"),
        ("DEFAULT", "host", "docker1"),
        ("docker", "host_url", "unix:///state/run/docker1/docker.sock"),
        ("os_vif_ovs", "ovsdb_connection", "unix:/state/run/docker1/db.sock"),
        ("vnc", "enabled", "false"),
        ("serial_console", "enabled", "true"),
        ("serial_console", "serialproxy_host", "127.0.0.1"),
        ("service_user", "send_service_user_token", "true"),
    ],
)
def test_nova_compute_drives_its_own_hosts_parts(
    common: Common, section: str, option: str, value: str
) -> None:
    """Engine, switch and console are the host's own, on loopback or Unix sockets."""
    (text,) = nova.compute_files(common, common.layout.hosts[0]).values()
    assert _parsed(text)[section][option] == value


def test_privileged_helpers_start_without_sudo(common: Common) -> None:
    """Each privilege context names a helper: root needs no sudo, possibly missing."""
    (text,) = nova.compute_files(common, common.layout.hosts[0]).values()
    parsed = _parsed(text)
    for context in ("vif_plug_ovs_privileged", "privsep_osbrick", "nova_sys_admin"):
        assert parsed[context]["helper_command"].endswith("/bin/privsep-helper")


def test_host_agent_and_chassis_bear_one_name(common: Common) -> None:
    """Neutron binds a port only where Nova's host is also an OVN chassis."""
    host = common.layout.hosts[0]
    (agent,) = neutron_agents.ovn_metadata(common, host).values()
    assert _parsed(agent)["DEFAULT"]["host"] == host.name


def test_metadata_secrets_are_the_same_on_both_sides(common: Common) -> None:
    """Nova refuses requests that Neutron's agent has signed with another secret."""
    (agent,) = neutron_agents.ovn_metadata(common, common.layout.hosts[0]).values()
    control = next(text for path, text in nova.files(common).items() if path.name == "nova.conf")
    signed = _parsed(agent)["DEFAULT"]["metadata_proxy_shared_secret"]
    assert _parsed(control)["neutron"]["metadata_proxy_shared_secret"] == signed == "meta"


def test_every_port_in_a_configuration_is_on_loopback(common: Common) -> None:
    """Nothing of the cloud can be reached from outside the machine."""
    layout = common.layout
    (my_cnf,) = mariadb.files(layout).values()
    assert _parsed(my_cnf)["mariadbd"]["bind-address"] == "127.0.0.1"
    rabbit = rabbitmq.files(layout, common.credentials)
    text = next(text for path, text in rabbit.items() if path.name == "rabbitmq.conf")
    assert f"listeners.tcp.1 = 127.0.0.1:{layout.ports.rabbitmq}" in text
    environment = rabbitmq.environment(layout)
    assert environment["ERL_EPMD_ADDRESS"] == environment["RABBITMQ_NODE_IP_ADDRESS"] == "127.0.0.1"


def test_all_services_meet_at_one_broker_and_database_server(common: Common) -> None:
    """Each service has a database apart, on a common server."""
    texts = {
        "keystone": keystone.files(common),
        "glance": glance.files(common),
        "neutron": neutron.files(common),
        "nova_api": nova.files(common),
        "placement": placement.files(common),
    }
    for database, files in texts.items():
        whole = "\n".join(files.values())
        assert f"@127.0.0.1:{common.layout.ports.mariadb}/{database}?" in whole
