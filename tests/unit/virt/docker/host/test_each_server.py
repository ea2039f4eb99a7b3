# SPDX-License-Identifier: Apache-2.0
import threading
import time
from collections.abc import Iterator

import pytest

from novadocker.virt.docker.host.each_server import EachServer, Pace

SECONDS = 0.1


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """End of the work that hangs."""
    made = threading.Event()
    yield made
    made.set()


def refuse() -> None:
    """Fail by an exception that is not ours."""
    raise KeyError("eth0")


def test_a_failed_server_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """The same reason in the next turn is no news, a success afterwards is."""
    caplog.set_level("INFO")
    each = EachServer("audit")
    assert not each.attempt("s1", refuse)
    assert not each.attempt("s1", refuse)
    assert caplog.text.count("Cannot audit of server s1: KeyError: 'eth0'") == 1
    assert each.attempt("s1", lambda: None)
    assert "Could audit of server s1 again" in caplog.text


def test_a_hanging_server_is_passed_over_until_its_work_has_ended(
    release: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    """A second attempt waits for nothing; the first attempt after the end works again."""
    each = EachServer("audit", SECONDS)
    assert not each.attempt("s1", release.wait)
    begun = time.monotonic()
    assert not each.attempt("s1", lambda: None)
    assert time.monotonic() - begun < SECONDS
    assert "s1: not over after 0.1 s" in caplog.text
    release.set()
    deadline = time.monotonic() + 5
    while not each.attempt("s1", lambda: None):
        assert time.monotonic() < deadline


def test_hanging_servers_cost_the_others_one_time_limit(release: threading.Event) -> None:
    """Ten of thirty hang, and all thirty have been tried soon."""
    each, done = EachServer("audit", SECONDS), set[str]()
    work = {f"s{n}": release.wait if n < 10 else (lambda n=n: done.add(f"s{n}")) for n in range(30)}
    begun = time.monotonic()
    each.attempt_all(work)
    assert done == {f"s{n}" for n in range(10, 30)}
    assert time.monotonic() - begun < 5 * SECONDS


def test_the_limit_of_threads_ends_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose thread cannot start is tried again in the next turn."""
    each = EachServer("audit")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda _: (_ for _ in ()).throw(RuntimeError))
        assert not each.attempt("s1", lambda: None)
    assert each.attempt("s1", lambda: None)


def test_a_server_hangs_by_the_time_that_the_others_take(release: threading.Event) -> None:
    """Ten of thirty hang, and the others took no time: the limit is not waited for."""
    each = EachServer("audit", 30.0)
    work = {f"s{n}": release.wait if n < 10 else (lambda: None) for n in range(30)}
    begun = time.monotonic()
    each.attempt_all(work)
    assert time.monotonic() - begun < 10
    assert [each.hangs(f"s{n}") for n in (0, 9, 10)] == [True, True, False]


def test_the_limit_follows_the_slowest_that_has_ended() -> None:
    """It is the longest one before the first end, never below half a second, and never longer."""
    pace = Pace(5.0)
    limits = [pace.limit()]
    for seconds in (0.1, 1.0, 0.5, 4.0):
        pace.note(seconds)
        limits.append(pace.limit())
    assert limits == [5.0, 0.5, 3.0, 3.0, 5.0]
