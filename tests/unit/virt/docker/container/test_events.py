# SPDX-License-Identifier: Apache-2.0
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.errors import EngineError, EngineUnavailable
from novadocker.virt.docker.compute.power import Watcher
from novadocker.virt.docker.container import events
from novadocker.virt.docker.engine import Event, State
from novadocker.virt.docker.engine.calls.listing import Listed
from tests.support.eventually import eventually

LABELS = {"novadocker.host": "h1", "novadocker.instance": "1"}
GONE = EngineUnavailable(url="unix:///e.sock", reason="gone")


class Engine:
    """An engine with one container, as a watcher sees an engine."""

    def __init__(self) -> None:
        """Begin with a container that runs."""
        self.state: State | None = State.RUNNING
        self.stream: queue.Queue[Event | Exception] = queue.Queue()
        self.asked: list[tuple[str, float]] = []
        self.refuse_looks = 0

    def labels_by_name(self, label: str) -> Mapping[str, Mapping[str, str]]:
        """List it."""
        return {"nova-1": LABELS} if self.state else {}

    def events(self, label: str, since: float) -> Iterator[Event]:
        """Tell the events of a test until an error comes."""
        self.asked.append((label, since))
        while True:
            told = self.stream.get()
            if isinstance(told, Exception):
                raise told
            yield told

    def listed(self, label: str) -> Mapping[str, Listed]:
        """Look at it."""
        if self.refuse_looks:
            self.refuse_looks -= 1
            raise EngineError(action="list", reason="busy")
        return {"nova-1": Listed("f" * 64, LABELS, self.state)} if self.state else {}

    def find(self, name: str, *, brief: bool) -> Any:
        """Inspect it."""
        assert brief
        return SimpleNamespace(id="f" * 64, state=self.state) if self.state else None

    def happen(self, action: str, state: State | None, nanoseconds: int = 0) -> None:
        """Let something happen to it."""
        self.state = state
        self.stream.put(Event(action, "nova-1", LABELS, nanoseconds or time.time_ns()))


class Nova:
    """News from a watcher, and a Nova busy with the instance or not."""

    def __init__(self) -> None:
        """Begin idle."""
        self.told: list[State | None] = []
        self.busy = False
        self.knows = True
        self.fail = 0

    def settled(self, uuid: str) -> bool:
        """Tell whether it has no task."""
        if not self.knows:
            raise LookupError(uuid)
        return not self.busy

    def tell(self, uuid: str, state: State | None) -> None:
        """Take news."""
        assert uuid == "1"
        if self.fail:
            self.fail -= 1
            raise RuntimeError("the conductor is away")
        self.told.append(state)

    def comes_to(self, *expected: State | None) -> bool:
        """Wait until it was told something."""
        return eventually(lambda: self.told == list(expected))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(events, "RECONNECT_SECONDS", 0.02)


@pytest.fixture
def engine() -> Engine:
    """The engine."""
    return Engine()


@pytest.fixture
def nova() -> Nova:
    """Listener of the news."""
    return Nova()


@pytest.fixture
def watcher(engine: Engine, nova: Nova) -> Iterator[Watcher]:
    """A watcher after the first look at the container, waiting for events."""
    made: Any = Watcher(engine, "h1", nova.settled)  # type: ignore[arg-type]
    made.start(nova.tell)
    assert nova.comes_to(State.RUNNING)
    nova.told.clear()
    yield made
    made.stop()
    engine.stream.put(GONE)


@pytest.mark.usefixtures("watcher")
@pytest.mark.parametrize(
    ("action", "state"),
    [("die", State.EXITED), ("pause", State.PAUSED), ("unpause", State.RUNNING)],
)
def test_what_happens_to_a_container_is_told(
    engine: Engine, nova: Nova, action: str, state: State
) -> None:
    """Nova hears what the container is now."""
    engine.happen(action, state)
    assert nova.comes_to(state)


@pytest.mark.usefixtures("watcher")
@pytest.mark.parametrize("action", ["start", "exec_start", "oom", "resize", "kill"])
def test_other_events_are_no_news(engine: Engine, nova: Nova, action: str) -> None:
    """Nova starts containers itself; the rest changes no state."""
    engine.happen(action, State.RUNNING)
    time.sleep(0.1)
    assert nova.told == []


@pytest.mark.usefixtures("watcher")
def test_events_of_this_host_alone_are_asked_for(engine: Engine) -> None:
    """Other containers on the engine are nobody's business here."""
    assert {label for label, _ in engine.asked} == {"novadocker.host=h1"}


@pytest.mark.usefixtures("watcher")
def test_news_wait_until_nova_has_finished_with_the_instance(engine: Engine, nova: Nova) -> None:
    """Nova ignores news of an instance with a task under way."""
    nova.busy = True
    engine.happen("die", State.EXITED)
    time.sleep(0.1)
    assert nova.told == []
    nova.busy = False
    assert nova.comes_to(State.EXITED)


@pytest.mark.usefixtures("watcher")
def test_a_restart_in_between_is_not_told_as_a_stop(engine: Engine, nova: Nova) -> None:
    """The container counts as found at the moment Nova can hear."""
    nova.busy = True
    engine.happen("die", State.EXITED)
    time.sleep(0.05)
    engine.state = State.RUNNING
    nova.busy = False
    assert nova.comes_to(State.RUNNING)


@pytest.mark.usefixtures("watcher")
@pytest.mark.parametrize("state", [None, State.EXITED])
def test_a_deleted_instance_is_dropped(engine: Engine, nova: Nova, state: State | None) -> None:
    """News of an instance that Nova does not know are told to nobody, and wait for nothing."""
    nova.knows = False
    engine.happen("die", state)
    time.sleep(0.1)
    nova.knows, engine.state = True, State.EXITED
    time.sleep(0.1)
    assert nova.told == []


@pytest.mark.usefixtures("watcher")
def test_a_container_that_was_removed_behind_nova_is_told(engine: Engine, nova: Nova) -> None:
    """Nova would show a server without a container as ACTIVE for ever."""
    engine.happen("destroy", None)
    assert nova.comes_to(None)


@pytest.mark.usefixtures("watcher")
def test_a_container_that_went_while_nobody_listened_is_told(engine: Engine, nova: Nova) -> None:
    """An engine that starts again has forgotten its events, and lists what is left."""
    engine.state = None
    engine.stream.put(GONE)
    assert nova.comes_to(None)


@pytest.mark.usefixtures("watcher")
def test_a_container_made_anew_by_novas_task_is_not_lost(engine: Engine, nova: Nova) -> None:
    """A rebuild removes the old container, and the new one runs when Nova's task ends."""
    nova.busy = True
    engine.happen("destroy", None)
    time.sleep(0.05)
    engine.state, nova.busy = State.RUNNING, False
    assert nova.comes_to(State.RUNNING)


def test_one_hanging_instance_delays_no_news_of_another() -> None:
    """Each instance is told of in a thread of its own."""
    hang, told = threading.Event(), []
    engine: Any = Engine()
    engine.labels_by_name = lambda _: {
        f"nova-{uuid}": {"novadocker.instance": uuid} for uuid in ("1", "2")
    }

    def tell(uuid: str) -> bool:
        if uuid == "1":
            return hang.wait(20)
        told.append(uuid)
        return True

    follower = events.Follower(engine, "novadocker.host=h1", lambda _: True, tell)
    follower.start()
    assert eventually(lambda: told == ["2"], 2)
    hang.set()
    follower.stop()
    engine.stream.put(GONE)


@pytest.mark.usefixtures("watcher")
def test_what_happened_while_nobody_listened_is_found_by_looking(
    engine: Engine, nova: Nova
) -> None:
    """After a loss of the stream the containers are looked at again."""
    engine.state = State.EXITED
    engine.stream.put(GONE)
    assert nova.comes_to(State.EXITED)


@pytest.mark.usefixtures("watcher")
def test_listening_goes_on_where_it_broke_off(engine: Engine, nova: Nova) -> None:
    """The engine is asked for events since the last one."""
    engine.happen("pause", State.PAUSED, nanoseconds=5 * 10**9)
    assert nova.comes_to(State.PAUSED)
    engine.stream.put(GONE)
    assert eventually(lambda: len(engine.asked) == 2)
    assert engine.asked[-1][1] == 5.0


@pytest.mark.usefixtures("watcher")
def test_an_event_that_cannot_be_read_does_not_end_the_listening(
    engine: Engine, nova: Nova
) -> None:
    """The thread outlives an event without a meaning."""
    engine.stream.put(KeyError("Actor"))
    assert nova.comes_to(State.RUNNING)
    engine.happen("die", State.EXITED)
    assert nova.comes_to(State.RUNNING, State.EXITED)


@pytest.mark.usefixtures("watcher")
def test_news_are_told_again_where_nova_could_not_hear(engine: Engine, nova: Nova) -> None:
    """Neither a conductor that is away nor a busy engine loses a stop."""
    nova.fail = 2
    engine.refuse_looks = 2
    engine.happen("die", State.EXITED)
    assert nova.comes_to(State.EXITED)


@pytest.mark.usefixtures("watcher")
def test_patience_ends(engine: Engine, nova: Nova, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance that stays busy is left to Nova's own look at power states."""
    monkeypatch.setattr(events, "PATIENCE_SECONDS", 0.05)
    nova.busy = True
    engine.happen("die", State.EXITED)
    time.sleep(0.2)
    nova.busy = False
    time.sleep(0.1)
    assert nova.told == []


def test_a_container_that_never_started_is_no_news(engine: Engine, nova: Nova) -> None:
    """A container never started belongs to a build, or to a server built powered off."""
    engine.state = State.CREATED
    made = Watcher(engine, "h1", nova.settled)  # type: ignore[arg-type]
    made.start(nova.tell)
    assert eventually(lambda: bool(engine.asked))
    time.sleep(0.1)
    assert nova.told == []
    made.stop()
    engine.stream.put(GONE)
