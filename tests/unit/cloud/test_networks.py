# SPDX-License-Identifier: Apache-2.0
"""Clouds on paper, with each of the networks."""

import configparser
import dataclasses
import importlib
from pathlib import Path

import pytest

from novadocker.cloud.config import neutron, neutron_agents, nova
from novadocker.cloud.config.common import Common
from novadocker.cloud.supervision import networks
from novadocker.cloud.underlay import opensdn


def with_network(common: Common, network: str) -> Common:
    """Return the same cloud with another network."""
    settings = dataclasses.replace(common.layout.settings, network=network)
    return dataclasses.replace(common, layout=dataclasses.replace(common.layout, settings=settings))


def parsed(files: dict[Path, str], name: str) -> configparser.RawConfigParser:
    """Read one of a service's files."""
    parser = configparser.RawConfigParser(default_section="none")
    parser.read_string(next(text for path, text in files.items() if path.name == name))
    return parser


@pytest.mark.parametrize(
    ("network", "driver", "workers"),
    [("ovn", "ovn", "0"), ("ovs", "openvswitch", "1"), ("contrail", "vrouter", "0")],
)
def test_neutron_has_the_mechanism_driver_of_its_network(
    common: Common, network: str, driver: str, workers: str
) -> None:
    """Neutron has workers for messages only with agents, and at least a worker then."""
    files = neutron.files(with_network(common, network))
    assert parsed(files, "ml2_conf.ini")["ml2"]["mechanism_drivers"] == driver
    assert parsed(files, "neutron.conf")["DEFAULT"]["rpc_workers"] == workers


def test_neutron_finds_the_driver_of_the_tests_by_an_entry_point(common: Common) -> None:
    """The entry point names an importable class, in a directory on the server's path."""
    contrail = with_network(common, "contrail")
    points = parsed(neutron.files(contrail), "entry_points.txt")
    name = points["neutron.ml2.mechanism_drivers"]["vrouter"]
    module, _, attribute = name.partition(":")
    assert getattr(importlib.import_module(module), attribute)
    first, _ = networks.neutron_environment(contrail.layout)["PYTHONPATH"].split(":")
    (path,) = [path for path in neutron.files(contrail) if path.name == "entry_points.txt"]
    assert path.parent.parent == Path(first)
    assert path.parent.suffix == ".dist-info"


def test_nova_compute_and_the_agent_mean_the_same_directory(common: Common) -> None:
    """Of ports' files; without Contrail there is none."""
    contrail = with_network(common, "contrail")
    host = contrail.layout.hosts[0]
    section = parsed(nova.compute_files(contrail, host), "nova.conf")["docker"]
    command = opensdn.agent_command(contrail.layout, host).argv
    assert section["vrouter_ports_directory"] in command
    assert section["vrouter_agent_url"].removeprefix("http://") in command
    without = parsed(nova.compute_files(common, host), "nova.conf")["docker"]
    assert "vrouter_ports_directory" not in without


def test_the_agents_of_a_host_bear_its_name(common: Common) -> None:
    """Neutron binds ports only where Nova's host has an agent."""
    host = common.layout.hosts[0]
    for files in (
        neutron_agents.openvswitch(common, host, "netdev"),
        neutron_agents.l3(common, host),
        neutron_agents.dhcp(common, host),
        neutron_agents.metadata(common, host),
    ):
        assert parsed(files, "agent.conf")["DEFAULT"]["host"] == host.name
