# SPDX-License-Identifier: Apache-2.0
"""Calls between hosts about servers that move."""

from types import SimpleNamespace
from typing import Any

import oslo_messaging
import pytest

from novadocker.errors import ResizeRefused, TransferFailed
from novadocker.virt.docker.compute import channel
from novadocker.virt.docker.compute.channel import Endpoint, RemoteHost
from novadocker.virt.docker.migration.manifest import Manifest
from novadocker.virt.docker.migration.stream import Offer
from tests.unit.virt.docker.nova_side import UUID, instance

MANIFEST = Manifest(
    uuid=UUID,
    migration="m1",
    host="h1",
    image="sha256:1",
    base="sha256:1",
    written=1,
    used=1,
    disk=0,
    process="root",
    machine="x86_64",
    driver="overlay2",
    user=0,
    group=0,
    owner=0,
    owners_group=0,
)
OFFER = Offer("192.0.2.2", 49300, "PEM", "00")


def _remote(arrivals: Any) -> RemoteHost:
    endpoint = Endpoint(arrivals)

    def call(context: Any, method: str, **arguments: Any) -> Any:
        return getattr(endpoint, method)(context, **arguments)

    moved = instance()
    told = {"instance": moved, "flavor": moved.flavor}
    return RemoteHost("h2", SimpleNamespace(call=call), None, told)


def _refuse(*_: Any) -> Any:
    raise ResizeRefused(reason="it is full")


def test_answers_come_back_as_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call gives what the other host answered."""
    arrivals = SimpleNamespace(
        prepare=lambda *_: True, expect=lambda *_: OFFER, discard=lambda *_: "no space"
    )
    monkeypatch.setattr(channel.translation, "server", lambda moved, **_: moved.uuid)
    remote = _remote(arrivals)
    assert remote.prepare(MANIFEST)
    assert remote.expect(MANIFEST) == OFFER
    assert remote.discard(MANIFEST) == "no space"


def test_a_refusal_names_the_host_and_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of the destination reaches the source with the host's name."""
    monkeypatch.setattr(channel.translation, "server", lambda moved, **_: moved.uuid)
    refusing = SimpleNamespace(expect=_refuse, discard=_refuse)
    with pytest.raises(TransferFailed, match="host h2: The server cannot be resized: it is full"):
        _remote(refusing).expect(MANIFEST)


def test_a_host_without_an_answer_refuses_the_move() -> None:
    """A move to a host that does not answer is refused before the server stops."""

    def call(*_: Any, **__: Any) -> Any:
        raise oslo_messaging.MessagingTimeout("no reply")

    moved = instance()
    remote = RemoteHost(
        "h2", SimpleNamespace(call=call), None, {"instance": moved, "flavor": moved.flavor}
    )
    with pytest.raises(ResizeRefused, match="host h2 does not answer"):
        remote.prepare(MANIFEST)


def test_a_newer_source_may_tell_more() -> None:
    """A manifest with an unknown name is read without that name."""
    assert Manifest.of({**MANIFEST.as_dictionary(), "colour": "red"}) == MANIFEST
