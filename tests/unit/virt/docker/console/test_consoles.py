# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.console import ConsoleSettings, networks


def place(address: str, *clients: str) -> ConsoleSettings:
    """Return a place of consoles."""
    return ConsoleSettings(address, acquire=lambda _: 0, release=lambda *_: None, clients=clients)


@pytest.mark.parametrize(
    ("peer", "admitted"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.7", True),  # this host itself
        ("192.0.2.8", False),
        ("198.51.100.4", True),
        ("198.51.100.5", False),
        ("203.0.113.200", True),
        ("::ffff:203.0.113.200", True),
        ("2001:db8::1", True),
        ("2001:db8:1::1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_only_this_host_and_named_ones_may_look(peer: str, admitted: bool) -> None:
    """Whoever else reaches the port is no proxy of Nova's."""
    here = place("192.0.2.7", "198.51.100.4", "203.0.113.0/24", "2001:db8::/64")
    assert here.admits(peer) is admitted


def test_a_network_that_is_none_is_refused() -> None:
    """As it is written, with its host bits."""
    with pytest.raises(ValueError, match="host bits"):
        networks(["192.0.2.7/24"])
