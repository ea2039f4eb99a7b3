# SPDX-License-Identifier: Apache-2.0
"""What Nova is asked, and told, while a server waits for its image."""

from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception, objects
from nova.compute import task_states

from novadocker.virt.docker.translation import WaitingServer
from tests.unit.virt.docker.nova_side import UUID, instance

CONTEXT = SimpleNamespace(request_id="req-1")


class Nova:
    """Nova's records of one server."""

    def __init__(self) -> None:
        self.task_state: str | None = task_states.SPAWNING
        self.fault: Exception | None = None
        self.told: list[Any] = []

    def get_by_uuid(self, context: Any, uuid: str) -> Any:
        """Return the server as it is now."""
        assert (context, uuid) == (CONTEXT, UUID)
        if self.fault:
            raise self.fault
        return SimpleNamespace(task_state=self.task_state)

    def tell(self, call: str) -> Any:
        """Return one of the calls by which an event is told."""

        def take(context: Any, uuid: str, name: str, want_result: bool, **details: Any) -> None:
            assert (context, uuid, want_result) == (CONTEXT, UUID, False)
            self.told.append((call, name, *details.values()))
            if self.fault:
                raise self.fault

        return take


@pytest.fixture
def nova(monkeypatch: pytest.MonkeyPatch) -> Nova:
    """Nova's side."""
    made = Nova()
    monkeypatch.setattr(objects.Instance, "get_by_uuid", made.get_by_uuid)
    for call in ("event_start", "event_finish", "event_finish_with_failure"):
        monkeypatch.setattr(objects.InstanceActionEvent, call, made.tell(call))
    return made


@pytest.fixture
def server(nova: Nova) -> WaitingServer:
    """A server that waits."""
    assert nova
    return WaitingServer(CONTEXT, instance(), "h1")


def test_a_server_that_is_built_waits(server: WaitingServer) -> None:
    """Nothing is raised."""
    server.expect_wanted()


@pytest.mark.parametrize(
    ("task", "fault", "expected"),
    [
        (task_states.DELETING, None, exception.UnexpectedDeletingTaskStateError),
        (None, exception.InstanceNotFound(instance_id=UUID), exception.InstanceNotFound),
    ],
)
def test_a_server_that_is_deleted_waits_no_more(
    server: WaitingServer,
    nova: Nova,
    task: str | None,
    fault: Exception | None,
    expected: type[Exception],
) -> None:
    """By what Nova takes for a server that went while it was built."""
    nova.task_state, nova.fault = task, fault
    with pytest.raises(expected):
        server.expect_wanted()


def test_a_broker_that_is_slow_ends_no_boot(server: WaitingServer, nova: Nova) -> None:
    """It is asked again a second later, and told less."""
    nova.fault = TimeoutError("no reply")
    server.expect_wanted()
    server.begin()
    server.advance(1, 2)
    server.end(None)


def test_its_tenant_sees_how_far_it_is(server: WaitingServer, nova: Nova) -> None:
    """Each step is told once, and nothing where the size is not known."""
    server.begin()
    for done, total in ((10, 0), (10, 100), (30, 100), (40, 100), (80, 100), (100, 100)):
        server.advance(done, total)
    server.end(None)
    assert [name for call, name, *_ in nova.told if call == "event_start"] == [
        "docker_load_image",
        "docker_load_image_25_percent",
        "docker_load_image_50_percent",
        "docker_load_image_75_percent",
    ]
    assert nova.told[0] == ("event_start", "docker_load_image", "h1")
    assert nova.told[-1] == ("event_finish_with_failure", "docker_load_image", None, None)


def test_a_failure_is_told_with_its_reason(server: WaitingServer, nova: Nova) -> None:
    """Who may see an event's details sees it."""
    with pytest.raises(LookupError) as caught:
        {}["no such thing"]
    server.end(caught.value)
    ((_, _, told, trace),) = nova.told
    assert "no such thing" in str(told)
    assert trace


@pytest.mark.parametrize(
    ("gib", "state", "room"),
    [(2, "building", 2 << 30), (0, "building", 0), (2, "shelved_offloaded", 0)],
)
def test_an_image_must_fit_into_the_root_disk(gib: int, state: str, room: int) -> None:
    """An image of a shelved server comes back though it holds more than one root disk."""
    waits = instance()
    waits.flavor.root_gb, waits.vm_state = gib, state
    assert WaitingServer(CONTEXT, waits, "h1").root_bytes == room
