# SPDX-License-Identifier: Apache-2.0
"""Work for all servers at the process's limit of threads: later or slower, and never given up."""

import threading
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.virt.docker.compute import allocations
from novadocker.virt.docker.compute.allocations import Allocations
from novadocker.virt.docker.container import events
from novadocker.virt.docker.container.events import Follower
from novadocker.virt.docker.host.each_server import EachServer
from novadocker.virt.docker.network.audit import Audited, NetworkAudit
from novadocker.virt.docker.network.networking import Network
from tests.support.eventually import eventually

NOW = 0.000001
LABELS = {"novadocker.instance": "s1"}


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """How to let a number of threads that are named in some way not start."""
    start = threading.Thread.start

    def refuse(named: str, times: int) -> None:
        left = [times]

        def limited(thread: threading.Thread) -> None:
            if thread.name.startswith(named) and left[0]:
                left[0] -= 1
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", limited)

    return refuse


def test_an_audit_takes_its_turn_later(refuse: Callable[..., None]) -> None:
    """A turn that could not begin leaves the way free for the next."""
    seen: list[str] = []
    refuse("network-audit", 1)
    server = Audited("s1", "web", Network(None, []), 0.0)
    audit = NetworkAudit(lambda: [server], lambda each: seen.append(each.uuid) or [], NOW)
    audit.poke()
    assert seen == []
    assert eventually(lambda: audit.poke() or seen[:1] == ["s1"])


@pytest.mark.parametrize("refused", [1, 3])
def test_repairs_go_on_with_fewer_threads(refuse: Callable[..., None], refused: int) -> None:
    """With none but its own thread nova-compute tries one server after another."""
    refuse("mend", refused)
    done: set[str] = set()
    work = {f"s{number}": (lambda number=number: done.add(f"s{number}")) for number in range(3)}
    EachServer("mend").attempt_all(work)
    assert done == set(work)


def test_a_refusal_is_told_whatever_becomes_of_the_allocation(
    refuse: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The tenant reads why the rebuild was refused, and the operator of the allocation."""
    had = {"allocations": {"p": {}}}
    client = SimpleNamespace(get_allocs_for_consumer=lambda *_: had)
    monkeypatch.setattr(allocations.report, "report_client_singleton", lambda: client)
    refuse("allocation-", 1)
    with pytest.raises(ValueError, match="refused"), Allocations(lambda _: True).kept("s1"):
        raise ValueError("refused")
    assert "The allocation of server s1 will be lost" in caplog.text


class Engine:
    """An engine with one container and no events."""

    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended

    def labels_by_name(self, label: str) -> Mapping[str, Mapping[str, str]]:
        """List the container."""
        return {"nova-s1": LABELS}

    def events(self, label: str, since: float) -> Iterator[Any]:
        """Tell nothing until the end."""
        self._ended.wait()
        return iter(())


@pytest.mark.parametrize(("named", "raises"), [("news-", False), ("docker_report", True)])
def test_news_come_later(
    refuse: Callable[..., None], monkeypatch: pytest.MonkeyPatch, named: str, raises: bool
) -> None:
    """News wait for a thread, and a follower that could not begin begins at the next call."""
    monkeypatch.setattr(events, "POLL_SECONDS", 0.01)
    ended, told = threading.Event(), []
    engine: Any = Engine(ended)
    follower = Follower(engine, "l", lambda _: True, lambda uuid: told.append(uuid) or True)
    refuse(named, 1)
    if raises:
        with pytest.raises(RuntimeError):
            follower.start()
    assert follower.start()
    assert eventually(lambda: told[:1] == ["s1"])
    follower.stop()
    ended.set()
