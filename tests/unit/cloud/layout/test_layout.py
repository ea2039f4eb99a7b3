# SPDX-License-Identifier: Apache-2.0
import dataclasses
from pathlib import Path

import pytest

from novadocker.cloud.errors import HostUnfit
from novadocker.cloud.layout.layout import Layout, Ports
from novadocker.cloud.layout.settings import Settings


def test_ports_are_consecutive_from_the_base() -> None:
    """A base decides all ports, and no two services share a port."""
    ports = dataclasses.asdict(Ports.starting_at(20000))
    assert sorted(ports.values()) == list(range(20000, 20000 + len(ports)))


def test_the_machine_has_the_public_networks_first_address() -> None:
    """The gateway of the floating addresses is on the machine itself."""
    layout = Layout(Path("/s"), Settings(public_cidr="192.0.2.0/25"))
    assert str(layout.public_gateway) == "192.0.2.1/25"


def test_the_fake_host_is_there_only_when_asked_for() -> None:
    """The fake host has no engine, a zone apart, and other names of services."""
    (only,) = Layout(Path("/s"), Settings()).hosts
    first, fake = Layout(Path("/s"), Settings(fake_host=True)).hosts
    assert only == first
    assert (fake.real, fake.zone) == (False, "fake")
    assert fake.service("nova-compute") == "nova-compute@fake"
    assert first.service("nova-compute") == "nova-compute"


@pytest.mark.parametrize(("length", "accepted"), [(61, True), (62, False)])
def test_a_state_directory_too_long_for_sockets_is_refused(length: int, accepted: bool) -> None:
    """The longest socket path below the state must fit into the kernel's 107 bytes."""
    layout = Layout(Path("/" + "s" * (length - 1)), Settings())
    longest = f"{layout.hosts[0].run}/exec/libnetwork/0123456789ab.sock"
    assert (len(longest) <= 107) is accepted
    if accepted:
        layout.check_lengths()
        return
    with pytest.raises(HostUnfit, match="at most 61 characters"):
        layout.check_lengths()
