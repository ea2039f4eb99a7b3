# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.virt.docker.console import Consoles, ConsoleSettings, networks
from novadocker.virt.docker.console.line import Line
from novadocker.virt.docker.engine import Container, State


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
    """A network is read as written, host bits included."""
    with pytest.raises(ValueError, match="host bits"):
        networks(["192.0.2.7/24"])


def test_a_console_without_a_thread_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without room for another thread keeps neither port nor connection."""

    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    made: list[Line] = []
    remembered = Line.abandon
    monkeypatch.setattr(Line, "start", refuse)
    monkeypatch.setattr(Line, "abandon", lambda line: (made.append(line), remembered(line)))
    released: list[int] = []
    settings = ConsoleSettings(
        "127.0.0.1", acquire=lambda _: 0, release=lambda _, port: released.append(port)
    )
    engine: Any = SimpleNamespace(inspect=lambda name: Container("c", name, {}, State.RUNNING))
    with pytest.raises(RuntimeError, match="new thread"):
        Consoles(engine, settings).open("u1", "nova-1")
    (line,) = made
    assert released == [line.port]
    assert {line._wake.fileno(), line._waker.fileno(), line._listener.fileno()} == {-1}


def test_a_sweep_ends_with_the_service() -> None:
    """A sweep of many containers asks no further once the service stops."""
    asked: list[str] = []
    names = {"nova-1": {}, "nova-2": {}}
    engine: Any = SimpleNamespace(labels_by_name=lambda _: names, inspect=asked.append)
    consoles = Consoles(engine, ConsoleSettings("127.0.0.1", lambda _: 0, lambda *_: None))
    consoles.close_all()
    consoles.sweep("novadocker.host=h1").join(5)
    assert asked == []
