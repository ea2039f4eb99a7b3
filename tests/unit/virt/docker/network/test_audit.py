# SPDX-License-Identifier: Apache-2.0
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from nova import objects
from nova.compute import task_states, vm_states
from nova.network import model

from novadocker.errors import WiringError
from novadocker.virt.docker.compute.networks.ports import Ports
from novadocker.virt.docker.host.each_server import EachServer
from novadocker.virt.docker.network.audit import Audited, NetworkAudit
from novadocker.virt.docker.network.history import History
from novadocker.virt.docker.network.networking import Network
from tests.support.eventually import eventually
from tests.unit.virt.docker.nova_side import FixedHost, VirtAPI, instance, with_parts

NOW = 0.000001  # an interval that is over at once


def server(uuid: str) -> Audited:
    """Return a server without ports."""
    return Audited(uuid, "web", Network(None, []), 0.0)


def test_all_servers_are_looked_after_whatever_happens_to_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Repairs are in the log, and failures, by the servers' ids."""
    seen: list[str] = []

    def look_after(audited: Audited) -> list[str]:
        seen.append(audited.uuid)
        if audited.uuid == "b":
            raise WiringError(port="p", reason="the switch is away")
        return ["eth0: up"] if audited.uuid == "c" else []

    audit = NetworkAudit(lambda: map(server, "abc"), look_after, NOW)
    audit.poke()
    assert eventually(lambda: "Repaired the network of server c: eth0: up" in caplog.text)
    assert seen == ["a", "b", "c"]
    assert "of server b: WiringError: Port p cannot be wired: the switch" in caplog.text
    assert "server a" not in caplog.text


def test_a_turn_goes_on_past_an_error_that_is_not_ours() -> None:
    """A turn passes servers with a lost directory (FileNotFoundError) or interface (KeyError)."""
    seen: list[str] = []

    def look_after(audited: Audited) -> list[str]:
        seen.append(audited.uuid)
        raise {"a": FileNotFoundError, "b": KeyError, "c": ValueError}[audited.uuid]

    NetworkAudit(lambda: map(server, "abc"), look_after, NOW).poke()
    assert eventually(lambda: seen == ["a", "b", "c"])


def test_servers_that_hang_hold_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Ten of thirty hang: a turn passes all, the next ones pass over the ten, told once each."""
    looks: Counter[str] = Counter()
    go_on = threading.Event()
    hanging = {str(number) for number in range(0, 30, 3)}

    def look_after(audited: Audited) -> list[str]:
        looks[audited.uuid] += 1
        if audited.uuid in hanging:
            go_on.wait(30)
        return []

    servers = [server(str(number)) for number in range(30)]
    audit = NetworkAudit(lambda: servers, look_after, NOW)
    audit._each = EachServer("look after the network", 0.02)
    assert eventually(lambda: audit.poke() or looks["29"] >= 3)
    assert {looks[uuid] for uuid in hanging} == {1}
    assert all(looks[each.uuid] >= 2 for each in servers if each.uuid not in hanging)
    assert all(caplog.text.count(f"of server {uuid}: not over") == 1 for uuid in hanging)
    go_on.set()
    assert eventually(lambda: audit.poke() or all(looks[uuid] > 1 for uuid in hanging))
    audit.stop()


def test_a_turn_is_due_with_the_timer_that_pokes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nova's timer of sixty seconds may come a moment early: that turn is not put off."""
    looked = threading.Event()
    audit = NetworkAudit(lambda: looked.set() or [], lambda _: [], 60)  # type: ignore[func-returns-value]
    start = audit._last
    for elapsed, expected in ((30, False), (59.5, True)):
        monkeypatch.setattr(time, "monotonic", lambda moment=start + elapsed: moment)
        audit.poke()
        assert looked.wait(0.2) == expected


def test_there_is_one_turn_at_a_time_and_not_before_it_is_time() -> None:
    """An audit poked at every audit of resources keeps an interval of its own."""
    turns: list[int] = []
    go_on = threading.Event()

    def servers() -> Iterator[Audited]:
        turns.append(1)
        go_on.wait(5)
        yield from ()

    audit = NetworkAudit(servers, lambda _: [], NOW)
    audit.poke()
    assert eventually(lambda: turns == [1])
    audit.poke()
    assert turns == [1]
    go_on.set()
    assert eventually(lambda: audit.poke() or len(turns) == 2)
    assert all(not poked(interval) for interval in (0, 1000))


def poked(interval: float) -> bool:
    """Tell whether an audit poked at once looks at anything."""
    looked = threading.Event()
    NetworkAudit(lambda: looked.set() or [], lambda _: [], interval).poke()  # type: ignore[func-returns-value]
    return looked.wait(0.1)


def test_a_turn_that_fails_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    """Nova's conductor may be away for a while."""
    turns: list[int] = []

    def servers() -> list[Audited]:
        turns.append(1)
        raise ConnectionError("no conductor")

    audit = NetworkAudit(servers, lambda _: [], NOW)
    assert eventually(lambda: audit.poke() or len(turns) > 1)
    assert "no conductor" in caplog.text


def test_a_stopped_audit_looks_at_no_further_server() -> None:
    """A stopped audit ends at the next server."""
    seen: list[str] = []
    audit = NetworkAudit(lambda: map(server, "ab"), lambda _: [], NOW)
    audit._look_after = lambda audited: seen.append(audited.uuid) or audit.stop() or []  # type: ignore[func-returns-value]
    audit.poke()
    assert eventually(lambda: seen)
    audit._turn.acquire()
    assert seen == ["a"]


VIFS: list[Any] = [{"id": "p1"}, {"id": "p2"}]


def test_a_port_is_detached_until_nova_no_longer_tells_of_it() -> None:
    """A port counts as detached until Nova's record, an attachment or a start says otherwise."""
    history = History()
    assert history.detached("u", VIFS) == set()
    for bring_back in (
        lambda: history.attach("u", "p2"),
        lambda: history.start("u"),
        lambda: history.detached("u", VIFS[:1]),
    ):
        history.detach("u", "p2")
        assert history.detached("u", VIFS) == {"p2"}
        bring_back()
        assert history.detached("u", VIFS) == set()


def test_a_server_is_forgotten_an_hour_after_its_last_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Deleted servers leave nothing behind, and a detached port of theirs neither."""
    history, start = History(), time.monotonic()
    for number in range(100):
        history.detach(f"deleted-{number}", "p1")
    monkeypatch.setattr(time, "monotonic", lambda: start + 7200)
    history.attach("u", "p1")
    assert list(history._servers) == ["u"]


def test_a_change_makes_older_records_worthless() -> None:
    """A change outdates older records of the same server alone."""
    history, before = History(), time.monotonic()
    history.attach("u", "p1")
    assert not history.is_older("u", before)
    assert history.is_older("v", before)
    assert history.is_older("u", time.monotonic())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"vm_state": vm_states.PAUSED}, True),
        ({"vm_state": vm_states.RESCUED}, True),
        ({"vm_state": vm_states.STOPPED}, False),
        ({"vm_state": vm_states.BUILDING}, False),
        ({"task_state": task_states.REBOOTING}, False),
    ],
)
def test_servers_that_nova_works_on_are_left_to_it(
    virtapi: VirtAPI,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    expected: bool,
) -> None:
    """Servers with a task, or not running, are not audited."""
    vif = model.VIF(id="p1")
    found = instance(**changes)
    found.info_cache = objects.InstanceInfoCache(network_info=model.NetworkInfo([vif]))

    def get_by_host(context: Any, host: str, expected_attrs: Any) -> list[Any]:
        assert (host, expected_attrs) == ("h1", ["info_cache"])
        return [found]

    monkeypatch.setattr(objects.InstanceList, "get_by_host", get_by_host)
    audited = list(Ports(virtapi).running("h1"))
    assert [(each.uuid, each.hostname, each.network.info) for each in audited] == (
        [(found.uuid, "web-1", [vif])] if expected else []
    )


def test_a_record_that_cannot_be_read_is_passed_over(
    virtapi: VirtAPI, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The servers after it in Nova's list are audited all the same."""
    good, bad = instance(), instance(uuid="5a1c0000-0000-4000-8000-00000000000b")
    good.info_cache = objects.InstanceInfoCache(network_info=model.NetworkInfo([]))
    monkeypatch.setattr(objects.InstanceList, "get_by_host", lambda *_, **__: [bad, good])
    assert [each.uuid for each in Ports(virtapi).running("h1")] == [good.uuid]
    assert "The ports of a server cannot be read" in caplog.text


def test_the_driver_audits_with_novas_periodic_tasks(docker_driver: Any) -> None:
    """Nova asks for resources again and again."""
    poked: list[int] = []

    class Audit:
        poke: Callable[[Any], None] = lambda _: poked.append(1)

    class Started:
        start: Callable[[Any, Any], bool] = lambda *_: False

    able, resources = FixedHost(), {"vcpus": 2}
    with_parts(
        docker_driver,
        audit=Audit(),
        watcher=Started(),
        host=SimpleNamespace(abilities=able.abilities, resources=lambda _: resources),
    )
    assert docker_driver.get_available_resource("h1") == resources
    assert poked == [1]
