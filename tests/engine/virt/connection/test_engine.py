# SPDX-License-Identifier: Apache-2.0
import gc
import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.errors import ContainerNotFound, EngineError, EngineUnavailable
from novadocker.policy import Abilities, Flavor, settings_for
from novadocker.virt.docker.engine import (
    Connection,
    Container,
    ContainerSpec,
    Engine,
    Event,
    Image,
    State,
)

SETTINGS = settings_for(
    Flavor(vcpus=1, memory_mib=32, root_gib=0), Abilities(disk_limit=False, pids=64)
)
SLEEP = "sleep 600"


@pytest.fixture
def run(engine: Engine, box: Image) -> Any:
    """How to run a script; what it makes is removed."""
    made: list[str] = []

    def start(script: str = SLEEP, *, begin: bool = True, **labels: str) -> Container:
        name = f"test-{len(made)}"
        made.append(name)
        engine.create(
            ContainerSpec(
                name=name,
                image=box.id,
                hostname="h",
                entrypoint=("/bin/sh", "-c"),
                command=(script,),
                environment={},
                labels=labels,
                read_only_files={},
                settings=SETTINGS,
            )
        )
        if begin:
            engine.start(name)
        return engine.inspect(name)

    yield start
    for name in made:
        engine.remove(name)


def until(engine: Engine, name: str, state: State) -> Container:
    """Wait for a container's state."""
    deadline = time.monotonic() + 10
    while (container := engine.inspect(name)).state is not state:
        assert time.monotonic() < deadline, container
        time.sleep(0.02)
    return container


def test_an_engine_says_what_it_is(engine: Engine) -> None:
    """Versions, limits and abilities are those of a real one."""
    info = engine.info()
    assert info.api_versions[1] >= (1, 41)
    assert {"Engine", "runc", "containerd"} <= set(info.components)
    assert {"userns", "seccomp"} <= info.security_options
    assert info.cpus > 0
    assert info.live_restore is True


def test_a_container_goes_through_its_states(engine: Engine, run: Any) -> None:
    """Created, running, paused, running, exited; a process while it has one."""
    made = run(begin=False)
    assert (made.state, made.pid) == (State.CREATED, 0)
    engine.start(made.name)
    engine.start(made.name)  # may be repeated
    running = engine.inspect(made.name)
    assert running.state is State.RUNNING
    assert running.pid > 0
    engine.pause(made.name)
    assert engine.inspect(made.name).state is State.PAUSED
    engine.unpause(made.name)
    engine.stop(made.name, 0)
    engine.stop(made.name, 0)  # may be repeated
    ended = engine.inspect(made.name)
    assert (ended.state, ended.exit_code) == (State.EXITED, 137)
    assert ended.finished_at > "2020"


def test_a_stop_sends_the_images_signal(engine: Engine, run: Any) -> None:
    """A process that heeds it ends by itself, before its time is over."""
    made = run('trap "echo asked; exit 5" USR1; echo ready; while true; do sleep 0.1; done')
    while b"ready" not in engine.tail(made.name, 10, 100):
        time.sleep(0.02)
    began = time.monotonic()
    engine.stop(made.name, 30)
    assert time.monotonic() - began < 10
    assert engine.inspect(made.name).exit_code == 5
    assert b"asked" in engine.tail(made.name, 10, 100)


def test_a_process_that_stays_is_ended_by_force(engine: Engine, run: Any) -> None:
    """When the time that it was given is over."""
    made = run('trap "" USR1 TERM; while true; do sleep 0.1; done')
    began = time.monotonic()
    engine.stop(made.name, 1)
    assert 1 <= time.monotonic() - began < 10
    assert engine.inspect(made.name).exit_code == 137


def test_containers_are_found_by_their_label_alone(engine: Engine, run: Any) -> None:
    """Running or not; those of others are not told."""
    run(mine="h1")
    run(begin=False, mine="h1")
    run(mine="h2")
    run()
    assert set(engine.labels_by_name("mine=h1")) == {"test-0", "test-1"}
    assert set(engine.labels_by_name("mine")) == {"test-0", "test-1", "test-2"}
    assert engine.labels_by_name("mine=h1")["test-0"]["mine"] == "h1"


def test_removing_ends_what_runs_and_takes_its_volume(
    engine: Engine, run: Any, docker_api: Any
) -> None:
    """It may be repeated."""
    made = run()
    assert docker_api.volumes()["Volumes"]
    engine.remove(made.name)
    engine.remove(made.name)
    assert engine.find(made.name) is None
    assert not docker_api.volumes()["Volumes"]


@pytest.mark.parametrize("call", ["inspect", "start", "pause", "unpause"])
def test_a_container_that_is_not_there_is_named(engine: Engine, call: str) -> None:
    """Whichever call it was."""
    with pytest.raises(ContainerNotFound, match="no container gone-1"):
        getattr(engine, call)("gone-1")


def test_what_the_engine_refuses_is_told_in_its_words(engine: Engine, run: Any) -> None:
    """With what was to be done."""
    made = run()
    engine.pause(made.name)
    with pytest.raises(EngineError, match=f"failed to pause container {made.name}: .*paused"):
        engine.pause(made.name)


def test_an_image_that_is_not_there_is_none(engine: Engine) -> None:
    """Removing it is no error; a container of it is refused."""
    assert engine.find_image("nova/none:1") is None
    engine.remove_image("nova/none:1")


def test_images_are_listed_by_our_names(engine: Engine, docker_api: Any, box: Image) -> None:
    """A tag that is taken away leaves the image its others."""
    docker_api.tag(box.id, "nova/listed", "1")
    assert engine.image_tags("nova/listed") == ["nova/listed:1"]
    engine.remove_image("nova/listed:1")
    assert engine.image_tags("nova/listed") == []
    assert engine.find_image(box.id)


# The console's log


def test_the_tail_is_the_newest_output(engine: Engine, run: Any) -> None:
    """Bounded by bytes and by lines, whole where there is less."""
    made = run("i=0; while [ $i -lt 300 ]; do echo line-$i; i=$((i+1)); done")
    until(engine, made.name, State.EXITED)
    assert engine.tail(made.name, 10_000, 100_000).startswith(b"line-0\r\n")
    assert engine.tail(made.name, 10_000, 20)[-10:] == b"line-299\r\n"
    assert len(engine.tail(made.name, 10_000, 20)) == 20
    assert engine.tail(made.name, 2, 100_000) == b"line-298\r\nline-299\r\n"


def test_the_tail_is_bytes_whatever_was_written(engine: Engine, run: Any) -> None:
    """What is no text is no error."""
    made = run(r'printf "\377\376\000x"')
    until(engine, made.name, State.EXITED)
    assert isinstance(engine.tail(made.name, 10, 100), bytes)


def test_silence_has_an_empty_tail(engine: Engine, run: Any) -> None:
    """A server that wrote nothing has a console all the same."""
    assert engine.tail(run("true").name, 10, 100) == b""
    assert engine.tail(run(begin=False).name, 10, 100) == b""


def test_a_long_log_is_read_quickly(engine: Engine, run: Any) -> None:
    """A tenant asks for the console of a server that writes much."""
    line = "x" * 90
    made = run(f"i=0; while [ $i -lt 8000 ]; do echo {line}; i=$((i+1)); done")
    until(engine, made.name, State.EXITED)
    began = time.monotonic()
    assert len(engine.tail(made.name, 10_000, 102_400)) == 102_400
    assert time.monotonic() - began < 1


# Events


def test_events_are_told_as_they_happen(engine: Engine, run: Any) -> None:
    """Only of containers with the label, those since a time first, with names and labels."""
    since = time.time()
    before = run("exit 3", mine="h1")
    until(engine, before.name, State.EXITED)
    heard: list[Event] = []
    enough = threading.Event()

    def listen() -> None:
        for event in engine.events("mine=h1", since):
            heard.append(event)
            if event.action == "die" and event.container == "test-2":
                enough.set()
                return

    listener = threading.Thread(target=listen)
    listener.start()
    run("exit 4")
    run("exit 5", mine="h1")
    assert enough.wait(timeout=10)
    listener.join()
    deaths = [(each.container, each.labels["exitCode"]) for each in heard if each.action == "die"]
    assert deaths == [("test-0", "3"), ("test-2", "5")]
    assert all(each.nanoseconds > since * 10**9 for each in heard)


# An engine that goes away


# The SDK leaves its sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_went_away_is_unavailable_and_comes_back(
    running_engine: Callable[[], AbstractContextManager[EnginePaths]],
) -> None:
    """Every call says so; a stream of events ends with it."""
    told: list[Exception] = []

    def listen(engine: Engine) -> None:
        try:
            for _ in engine.events("a=b", time.time()):
                pass
        except EngineError as error:
            told.append(error)

    with running_engine() as paths:
        engine = Engine(Connection(paths.url, timeout=10))
        engine.info()
        listener = threading.Thread(target=listen, args=(engine,))
        listener.start()
        time.sleep(0.3)
    listener.join(timeout=10)
    assert not listener.is_alive()
    for call in (engine.info, lambda: engine.labels_by_name("a"), lambda: engine.inspect("x")):
        with pytest.raises(EngineUnavailable, match=r"cannot be reached"):
            call()
    gc.collect()


def test_a_spec_is_what_the_engine_makes(engine: Engine, run: Any, docker_api: Any) -> None:
    """Nothing of it is dropped or changed on the way."""
    made = run()
    host = docker_api.inspect_container(made.id)["HostConfig"]
    asked = json.loads(json.dumps(SETTINGS.rights.sysctls))
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == list(SETTINGS.rights.capabilities)
    assert host["Sysctls"] == asked
    assert host["RestartPolicy"]["Name"] == "no"
    assert not host["Devices"]
    assert (host["PidMode"], host["UsernsMode"], host["UTSMode"]) == ("", "", "")
    assert host["IpcMode"] == "private"
