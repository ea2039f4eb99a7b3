# SPDX-License-Identifier: Apache-2.0
"""Versions that are spoken, replies that are lost, and silence, against a double of an engine."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from novadocker.errors import (
    EngineError,
    EngineFailed,
    EngineOutOfSpace,
    EngineReplyLost,
    EngineUnavailable,
)
from novadocker.virt.docker.engine import Connection, Engine, State, settling
from novadocker.virt.docker.engine import connection as module
from novadocker.virt.docker.engine.features import Features, spoken_version
from novadocker.virt.docker.engine.time_limits import WORK, Work
from tests.support.doubles.engine_double import (
    CONTAINER_29,
    DOCKER_20,
    DOCKER_29,
    IMAGE_29,
    INFO_29,
    EngineDouble,
)

GONE = "GET /containers/nova-1/json"
EVENT = {
    "Action": "die",
    "Actor": {"Attributes": {"name": "nova-1", "exitCode": "3"}},
    "timeNano": 1_700_000_000_123_456_789,
}


@pytest.fixture
def serve() -> Iterator[Callable[..., Engine]]:
    """How to have the driver's client of a double."""
    with ExitStack() as stack:

        def make(double: EngineDouble, **settings: Any) -> Engine:
            url = stack.enter_context(double.serve())
            engine = Engine(Connection(url, **{"timeout": 2, **settings}))
            stack.callback(lambda: engine._client and engine._client.close())
            return engine

        yield make


@pytest.mark.parametrize(
    ("oldest", "newest", "expected"),
    [
        ((1, 12), (1, 41), (1, 41)),
        ((1, 24), (1, 51), (1, 51)),
        ((1, 44), (1, 57), (1, 51)),
        ((1, 53), (1, 60), (1, 53)),
    ],
)
def test_the_version_spoken_is_no_newer_than_answers_that_were_read(
    oldest: tuple[int, int], newest: tuple[int, int], expected: tuple[int, int]
) -> None:
    """The newest of both sides is spoken, and the engine's oldest if ours is gone."""
    assert spoken_version(oldest, newest) == expected


def test_docker_29_is_understood(serve: Callable[..., Engine]) -> None:
    """Members that API 1.52 and later leave out are no errors, and its store is known."""
    double = EngineDouble(
        DOCKER_29,
        {"GET /info": INFO_29, GONE: CONTAINER_29, "GET /images/x/json": IMAGE_29},
    )
    engine = serve(double)
    features = Features.of(engine.info())
    assert features.images_by_manifest
    assert (features.cgroup_version, features.cgroup_driver) == ("2", "systemd")
    assert (features.podman, features.lost_limits) == (False, ())
    container = engine.inspect("nova-1")
    assert (container.state, container.root, container.programs) == (State.RUNNING, "", ())
    image = engine.find_image("x")
    assert image
    assert (image.command, image.user) == (("/bin/sh",), "")
    assert "GET /v1.51/containers/nova-1/json" in double.requests


def test_an_engine_upgraded_under_the_driver_is_spoken_to_in_its_language(
    serve: Callable[..., Engine],
) -> None:
    """The first refusal of the old version is an engine that is away, the next call is served."""
    double = EngineDouble(DOCKER_20, {GONE: CONTAINER_29})
    engine = serve(double)
    assert engine.inspect("nova-1").pid == 42
    double.version = DOCKER_29
    with pytest.raises(EngineUnavailable, match=r"Minimum supported API version is 1\.44"):
        engine.inspect("nova-1")
    assert engine.inspect("nova-1").pid == 42
    assert double.requests[-1] == "GET /v1.51/containers/nova-1/json"


def test_a_lost_connection_asks_for_the_version_again(serve: Callable[..., Engine]) -> None:
    """Whoever answers after a restart may be another engine."""
    double = EngineDouble(answers={GONE: 0})
    engine = serve(double)
    with pytest.raises(EngineReplyLost):
        engine.inspect("nova-1")
    double.version = DOCKER_29
    double.answers[GONE] = CONTAINER_29
    assert engine.inspect("nova-1").pid == 42


@pytest.mark.parametrize("call", ["remove", "rename"])
def test_a_reply_that_is_lost_is_no_refusal(
    serve: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The error says that the engine may have done what was asked, where no outcome is seen."""
    monkeypatch.setattr(settling, "SECONDS", 0.0)
    double = EngineDouble(
        answers={
            "DELETE /containers/nova-1": 0,
            "POST /containers/nova-1/rename": 0,
            GONE: CONTAINER_29,
        }
    )
    engine = serve(double)
    engine.find("nova-1")
    arguments = ("nova-1", "nova-2") if call == "rename" else ("nova-1",)
    with pytest.raises(EngineReplyLost, match=rf"asked to {call} container nova-1 .* may have"):
        getattr(engine, call)(*arguments)


def test_an_engine_that_was_never_reached_was_asked_nothing() -> None:
    """No reply is lost where no request was sent."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(EngineUnavailable) as raised:
        Engine(Connection(f"unix:///run/nobody-{port}.sock")).remove("nova-1")
    assert not isinstance(raised.value, EngineReplyLost)


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (500, "layer does not exist", EngineFailed),
        (500, "write /x: no space left on device", EngineOutOfSpace),
        (409, "is paused", EngineError),
    ],
)
def test_a_refusal_has_the_class_of_its_cause(
    serve: Callable[..., Engine], status: int, words: str, expected: type[EngineError]
) -> None:
    """HTTP 500 is the engine's own fault, and keeps the engine's words."""
    double = EngineDouble(answers={"POST /containers/nova-1/pause": (status, {"message": words})})
    engine = serve(double)
    with pytest.raises(EngineError, match=words) as raised:
        engine.pause("nova-1")
    assert type(raised.value) is expected


def test_a_removal_in_progress_is_waited_for(serve: Callable[..., Engine]) -> None:
    """A removal asked for again ends when the first has."""
    refused = {"message": "removal of container nova-1 is already in progress"}
    double = EngineDouble(answers={"DELETE /containers/nova-1": (409, refused), GONE: CONTAINER_29})
    looks: list[float] = []

    def look() -> None:
        looks.append(time.monotonic())
        if len(looks) == 3:
            double.answers[GONE] = 404

    double.during[GONE] = look
    serve(double).remove("nova-1")
    assert len(looks) == 3


def test_a_removal_that_does_not_end_is_told(serve: Callable[..., Engine]) -> None:
    """The wait has the time limit of a removal."""
    refused = {"message": "removal of container nova-1 is already in progress"}
    answers = {"DELETE /containers/nova-1": (409, refused), GONE: CONTAINER_29}
    with pytest.raises(EngineError, match="its removal goes on"):
        serve(EngineDouble(answers=answers), disk_timeout=1).remove("nova-1")


def test_an_inspect_of_background_work_is_brief(
    serve: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that cannot be inspected does not hold up all others for minutes."""
    monkeypatch.setattr(module, "BRIEF_SECONDS", 0.2)
    double = EngineDouble(answers={GONE: CONTAINER_29}, during={GONE: lambda: time.sleep(1)})
    engine = serve(double, timeout=60)
    began = time.monotonic()
    with pytest.raises(EngineReplyLost):
        engine.find("nova-1", brief=True)
    assert time.monotonic() - began < 1


def test_a_silent_stream_of_events_is_opened_again(
    serve: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second stream begins behind the last event of the first, so none comes twice."""
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.2)
    double = EngineDouble(answers={"GET /events": iter([EVENT, 1.0])})
    later = EVENT | {"Action": "start"}
    events = serve(double).events("a=b", 0.0)
    assert next(events).action == "die"
    double.answers["GET /events"] = iter([later])
    assert next(events).action == "start"
    assert double.requests.count("GET /v1.41/events") == 2
    with pytest.raises(EngineReplyLost, match="has ended its events"):
        next(events)


def test_creation_and_removal_have_the_time_of_many_files() -> None:
    """A large volume is copied at one, a large layer is deleted at the other."""
    connection = Connection("unix:///x", timeout=120, disk_timeout=3600)
    assert [connection.seconds(call) for call in ("create", "remove", "commit", "load")] == [
        3600
    ] * 4
    assert [connection.seconds(call) for call in ("inspect", "rename", "update")] == [120] * 3
    assert connection.seconds("sizes", brief=True) == 5
    assert {*WORK.values()} == {*Work}


def test_tcp_probes_a_silent_peer() -> None:
    """Keep-alives are on for every connection that the client makes by TCP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        adapter = module._KeepAlive()
        host, port = listener.getsockname()
        pool = adapter.poolmanager.connection_from_host(host, port, "http")
        made = pool._get_conn()
        made.connect()
        assert made.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert made.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        made.close()
