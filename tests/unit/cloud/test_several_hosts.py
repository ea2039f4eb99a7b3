# SPDX-License-Identifier: Apache-2.0
"""Clouds of several compute hosts, on paper."""

import configparser
import dataclasses
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from novadocker.cloud import up
from novadocker.cloud.config import neutron_agents, nova
from novadocker.cloud.config.common import Common
from novadocker.cloud.errors import HostUnknown, StateRefused
from novadocker.cloud.layout import settings
from novadocker.cloud.layout.cabling import Cabling
from novadocker.cloud.layout.layout import HOST, Layout
from novadocker.cloud.layout.settings import Settings
from novadocker.cloud.supervision import services
from novadocker.cloud.supervision.service import Service

# The longest name that the kernel takes for a network device.
_DEVICE_NAME = 15


@pytest.fixture(params=["ovn", "ovs"])
def several(
    common: Common, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Common:
    """Return a cloud of three hosts, with each of the networks in turn."""
    monkeypatch.setattr("novadocker.cloud.underlay.switch.datapath", lambda _layout: "netdev")
    chosen = dataclasses.replace(common.layout.settings, network=request.param, computes=3)
    return dataclasses.replace(common, layout=dataclasses.replace(common.layout, settings=chosen))


def _of(common: Common, name: str) -> dict[str, Service]:
    host = common.layout.host(name)
    return {service.name: service for service in services.of_host(common, host)}


def test_a_single_host_has_no_cables(common: Common) -> None:
    """A cloud of one host stays on loopback, without a namespace or a forwarder."""
    (first, _fake) = common.layout.hosts
    assert (first.namespace, first.cables, first.management_address) == (None, (), "127.0.0.1")
    names = {service.name for service in services.table(common)}
    assert not any(name.startswith("management") for name in names)


def test_further_hosts_run_in_namespaces_of_their_own(several: Common) -> None:
    """Switch and nova-compute of a further host enter its namespace, the engine does not."""
    namespace = several.layout.host("docker2").namespace
    found = _of(several, "docker2")
    for name in ("vswitchd@docker2", "nova-compute@docker2", "management@docker2"):
        assert found[name].command.argv[:2] == ("nsenter", f"--net=/run/netns/{namespace}")
    assert found["dockerd@docker2"].command.argv[0] == "dockerd"
    assert _of(several, "docker1")["nova-compute"].command.argv[0] != "nsenter"


def test_a_hosts_processes_are_known_by_its_name(several: Common) -> None:
    """Each service of a host carries the host's name, and no service of the control plane does."""
    for host in several.layout.hosts:
        for service in services.of_host(several, host):
            assert service.command.env[HOST] == host.name
    central = {service.name: service for service in services.table(several)}
    assert HOST not in central["keystone"].command.env


def test_nothing_of_a_further_host_starts_before_its_cables(several: Common) -> None:
    """Users of the control plane wait for the forwarder, and the forwarder for the cables."""
    found = _of(several, "docker3")
    assert found["management@docker3"].after == ("management", "cables@docker3")
    assert "management@docker3" in found["nova-compute@docker3"].after


def test_every_step_of_several_hosts_exists(
    several: Common, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services and preparations form one order without gaps or circles."""
    monkeypatch.setattr(up, "_prepare_engine", lambda _layout, _host: None)
    steps = up._steps(several, services.table(several))
    names = [step.name for step in steps]
    assert len(names) == len(set(names))
    assert {name for step in steps for name in step.after} <= set(names)
    list(TopologicalSorter({step.name: step.after for step in steps}).static_order())


def test_a_host_is_started_by_its_own_steps(
    several: Common, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of a host wait for no step of the whole cloud."""
    monkeypatch.setattr(up, "_prepare_engine", lambda _layout, _host: None)
    monkeypatch.setattr(up, "_write_everything", lambda _layout: several)
    steps = up.steps_of_host(several.layout, several.layout.host("docker2"))
    names = {step.name for step in steps}
    assert {name for step in steps for name in step.after} <= names
    assert all(name.endswith("@docker2") for name in names)
    assert {"cables@docker2", "nova-compute@docker2", "open@docker2"} <= names


def test_a_host_is_configured_with_its_own_address(several: Common) -> None:
    """Consoles and streams of a host listen on the management address, different on each."""
    seen = set()
    for host in several.layout.hosts[:3]:
        (text,) = nova.compute_files(several, host).values()
        parsed = configparser.RawConfigParser(default_section="none")
        parsed.read_string(text)
        assert parsed["DEFAULT"]["my_ip"] == host.management_address
        assert parsed["serial_console"]["proxyclient_address"] == host.management_address
        seen |= {host.management_address, host.tunnel_address}
    assert len(seen) == 6


def test_routers_and_dhcp_servers_are_on_the_first_host(several: Common) -> None:
    """A further host has the agents for local ports, and no others."""
    agents = {name.partition("@")[0] for name in _of(several, "docker2")} & {
        *(neutron_agents.OVN_METADATA, neutron_agents.OPENVSWITCH, neutron_agents.L3),
        *(neutron_agents.DHCP, neutron_agents.METADATA),
    }
    expected = {"ovn": {"ovn-metadata"}, "ovs": {"neutron-openvswitch"}}
    assert agents == expected[several.layout.settings.network]


def test_a_host_that_is_cut_off_is_cut_off_from_ovn(several: Common) -> None:
    """A further host reaches OVN's database over its cable, and not by a file."""
    layout = several.layout
    assert layout.southbound_of(layout.host("docker1")).startswith("unix:")
    assert layout.southbound_of(layout.host("docker2")) == "tcp:127.0.0.1:17715"


def test_names_of_devices_are_short_and_differ(tmp_path: Path) -> None:
    """The kernel takes each name, and two clouds or two hosts have none in common."""
    seen: list[str] = []
    for state in (tmp_path / "a", tmp_path / "b"):
        cabling = Cabling(state, floating=True)
        seen += cabling.hubs
        for number in (1, 2, 3, 4):
            cables = (cabling.management(number), cabling.tunnel(number), cabling.external(number))
            seen += [cable.plug for cable in cables]
    assert len(seen) == len(set(seen))
    assert max(map(len, seen)) <= _DEVICE_NAME


def test_a_host_is_found_by_its_name(several: Common) -> None:
    """An unknown name is refused, with the known names."""
    assert several.layout.host("docker3").number == 3
    with pytest.raises(HostUnknown, match="docker1, docker2, docker3, fake"):
        several.layout.host("docker4")


def _kept(tmp_path: Path, kept: Settings) -> Layout:
    settings.store(tmp_path, kept)
    return Layout(tmp_path, kept)


def test_the_number_of_hosts_is_kept_and_grows(tmp_path: Path) -> None:
    """A later ``up`` keeps the hosts, or makes more on demand."""
    _kept(tmp_path, Settings(computes=2))
    assert settings.decide(tmp_path, {}).computes == 2
    assert settings.decide(tmp_path, {"computes": 4}).computes == 4


@pytest.mark.parametrize(
    ("kept", "asked", "reason"),
    [
        (Settings(computes=2), {"computes": 1}, "none of them can be taken away"),
        (Settings(), {"computes": 5}, "accepted are 1 to 4"),
        (Settings(network="contrail"), {"computes": 2}, "contrail"),
    ],
)
def test_hosts_that_cannot_be_are_refused(
    tmp_path: Path, kept: Settings, asked: dict[str, int], reason: str
) -> None:
    """Fewer hosts than before, too many, and several with Contrail's double are refused."""
    _kept(tmp_path, kept)
    with pytest.raises(StateRefused, match=reason):
        settings.decide(tmp_path, asked)
