# SPDX-License-Identifier: Apache-2.0
"""Ports attached to a running container, and detached."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nova.network import model

from novadocker.errors import VifRefused, WiringError
from novadocker.virt.docker.container.directory import HOSTS, InstanceDirectory
from novadocker.virt.docker.engine import Container, State
from novadocker.virt.docker.network.networking import Network, Networking, ServerNetwork
from novadocker.virt.docker.wiring import Wiring
from tests.engine.wiring.stand_in import Server, Switch, a_vif, run


@dataclass
class Attached:
    """Wired server, with attachment and detachment of ports."""

    server: Server
    networking: Networking
    directory: InstanceDirectory

    @property
    def network(self) -> Network:
        """Ports in Nova's present record."""
        return Network(self.server.instance, self.server.network_info)

    @property
    def container(self) -> Container:
        """Container in the stand-in's place."""
        return Container("", "nova-1", {}, State.RUNNING, pid=self.server.process.pid)

    def attach(self, vif: model.VIF, network: Network | None = None) -> None:
        """Attach a port of Nova's record."""
        self.networking.attach(self.target(network), vif)

    def detach(self, vif: model.VIF, network: Network | None = None) -> None:
        """Detach a port still in Nova's record."""
        self.networking.detach(self.target(network), vif)

    def look_after(self, network: Network | None = None, seen_at: float | None = None) -> list[str]:
        """Audit the network by a record of Nova's."""
        moment = time.monotonic() if seen_at is None else seen_at
        return self.networking.look_after(self.target(network), moment)

    def target(self, network: Network | None = None) -> ServerNetwork:
        """Return the container with the ports of Nova's record."""
        told = network or self.network
        return ServerNetwork("server", told, self.container, self.directory)

    def macs(self) -> dict[str, str]:
        """Return MAC addresses by interface."""
        return {
            name: link[0] for name, link in self.server.state()["links"].items() if name != "lo"
        }

    def defaults(self) -> set[str]:
        """Return the interfaces of default routes."""
        return {route[2] for route in self.server.state()["routes"] if route[0] == "default"}


@pytest.fixture
def attached(
    wiring: Wiring, server: Callable[..., Server], tmp_path: Path
) -> Callable[..., Attached]:
    """Maker of wired servers."""

    def make(*vifs: model.VIF) -> Attached:
        directory = InstanceDirectory(tmp_path / "instance", "nova-1")
        directory.make()
        made = Attached(server(*vifs), Networking(wiring, "example.org", ()), directory)
        made.networking.settle(made.target())
        return made

    return make


def test_a_port_comes_and_goes(attached: Callable[..., Attached], switch: Switch) -> None:
    """Other ports stay untouched when a port comes and goes; a second detachment is no error."""
    one = attached(a_vif(5))
    before, added = one.server.state(), a_vif(6, nic=1)
    one.server.network_info.append(added)
    one.attach(added)
    assert one.macs() == {
        vif["devname"] and name: vif["address"]
        for name, vif in zip(("eth0", "eth1"), one.server.network_info, strict=True)
    }
    assert added["devname"] in switch.ports()
    for _ in range(2):
        one.detach(added)
        assert one.server.state() == before
    assert added["devname"] not in switch.ports()


def test_what_is_left_has_the_default_route_and_the_name(
    attached: Callable[..., Attached],
) -> None:
    """The second port leads out and names the server in hosts, once the first is gone."""
    first, second = a_vif(5), a_vif(6, nic=1)
    one = attached(first, second)
    assert one.defaults() == {"eth0"}
    one.detach(first)
    assert one.macs() == {"eth1": second["address"]}
    assert one.defaults() == {"eth1"}
    hosts = (one.directory.path / Path(HOSTS).name).read_text()
    assert "10.1.0.6\tserver" in hosts
    assert "10.0.0.5" not in hosts


def test_a_port_that_no_container_can_have_changes_nothing(
    attached: Callable[..., Attached],
) -> None:
    """A port of a virtual machine is refused by the reason of the type."""
    one, refused = attached(a_vif(5)), a_vif(6, "vhostuser", nic=1)
    before = one.server.state()
    one.server.network_info.append(refused)
    with pytest.raises(VifRefused):
        one.attach(refused)
    assert one.server.state() == before


def test_a_port_that_cannot_be_joined_is_taken_back(
    attached: Callable[..., Attached], monkeypatch: pytest.MonkeyPatch, wiring: Wiring
) -> None:
    """Routes and hosts are as before after a failed attachment."""
    one, added = attached(a_vif(5, nic=1)), a_vif(6)
    before = one.server.state()
    one.server.network_info.insert(0, added)
    plug = wiring._backends["ovs"].bind

    def broken(instance: Any, vif: Any, nic: Any) -> None:
        if vif["id"] == added["id"]:
            raise OSError("no bridge")
        plug(instance, vif, nic)

    monkeypatch.setattr(type(wiring._backends["ovs"]), "bind", lambda _, *args: broken(*args))
    with pytest.raises(WiringError, match="no bridge"):
        one.attach(added)
    assert one.server.state() == before


def test_two_calls_do_not_undo_each_other(attached: Callable[..., Attached]) -> None:
    """A port detached by another call does not return, though still in Nova's record."""
    first, second, third = a_vif(5), a_vif(6, nic=1), a_vif(7, nic=2)
    one = attached(first, second)
    told = Network(one.server.instance, [first, second, third])
    one.detach(second, told)
    one.attach(third, told)
    assert set(one.macs().values()) == {first["address"], third["address"]}
    one.detach(third, told)
    assert set(one.macs().values()) == {first["address"]}


def test_an_audit_repairs_what_broke_and_nothing_else(attached: Callable[..., Attached]) -> None:
    """An audit tells the repairs, and does nothing where nothing is wrong."""
    one = attached(a_vif(5), a_vif(6, nic=1))
    before = one.server.state()
    assert one.look_after() == []
    one.server.ip("address", "delete", "10.0.0.5/24", "dev", "eth0")
    (one.directory.path / Path(HOSTS).name).write_text("")
    assert "eth0: address 10.0.0.5/24 added" in one.look_after()
    assert one.server.state() == before
    assert "10.0.0.5" in (one.directory.path / Path(HOSTS).name).read_text()


def test_an_audit_does_not_bring_back_what_is_being_detached(
    attached: Callable[..., Attached],
) -> None:
    """A port being detached is left alone, though still in Nova's record, until attached again."""
    first, second = a_vif(5), a_vif(6, nic=1)
    one = attached(first, second)
    told = one.network
    one.detach(second)
    assert one.look_after(told) == []
    assert set(one.macs().values()) == {first["address"]}
    one.attach(second)
    one.server.ip("address", "flush", "dev", "eth1")
    assert one.look_after(told) != []


def test_an_audit_by_an_old_record_is_none(attached: Callable[..., Attached]) -> None:
    """A port attached after the record was read is left alone."""
    one, added = attached(a_vif(5)), a_vif(6, nic=1)
    old, before = one.network, time.monotonic()
    one.server.network_info = [*one.server.network_info, added]
    one.attach(added)
    both = one.macs()
    run("ip", "link", "set", added["devname"], "down")
    assert one.look_after(old, before) == []
    run("ip", "link", "set", added["devname"], "up")
    assert one.macs() == both


@pytest.mark.parametrize("told", [[], [1]])
def test_an_audit_takes_nothing_away(attached: Callable[..., Attached], told: list[int]) -> None:
    """Nova's record of a server's ports is known to have lost some, and to heal later."""
    vifs = [a_vif(5), a_vif(6, nic=1)]
    one = attached(*vifs)
    known = one.macs()
    lost = Network(one.server.instance, [vifs[each] for each in told])
    one.look_after(lost)
    assert one.macs() == known


def test_an_audit_passes_over_what_no_container_can_have(
    attached: Callable[..., Attached],
) -> None:
    """An unbound port keeps no audit from repairing the others."""
    one = attached(a_vif(5))
    one.server.network_info.append(a_vif(6, "binding_failed", nic=1))
    one.server.ip("route", "delete", "default")
    assert one.look_after() == ["eth0: route to 0.0.0.0/0 by 10.0.0.1 added"]
