# SPDX-License-Identifier: Apache-2.0
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing

import pytest

from novadocker.virt.docker.images import relay
from novadocker.virt.docker.images.relay import relayed


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "_LOOK_SECONDS", 0.02)


def test_what_goes_in_comes_out() -> None:
    """Every piece, in order, and made by another thread."""
    threads = set()

    def made() -> Iterator[bytes]:
        for number in range(100):
            threads.add(threading.get_ident())
            yield b"%d" % number

    assert list(relayed(made())) == [b"%d" % number for number in range(100)]
    assert threads.isdisjoint({threading.get_ident()})


def test_nobody_runs_far_ahead() -> None:
    """Memory stays flat however fast the one is and however slow the other."""
    made = []

    def endless() -> Iterator[bytes]:
        while True:
            made.append(1)
            yield b"x"

    with closing(relayed(endless(), depth=3)) as pieces:
        next(pieces)
        time.sleep(0.2)
        assert len(made) <= 5


def test_a_fault_comes_out_where_it_belongs() -> None:
    """After the pieces before it."""

    def failing() -> Iterator[bytes]:
        yield b"x"
        raise OSError("broken off")

    pieces = relayed(failing())
    assert next(pieces) == b"x"
    with pytest.raises(OSError, match="broken off"):
        next(pieces)


def test_closing_it_ends_what_it_reads_from() -> None:
    """A connection is not left open behind somebody who has had enough."""
    closed = threading.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.set()

    pieces = relayed(endless())
    next(pieces)
    pieces.close()
    assert closed.wait(5)


def test_who_waits_can_be_told_to_stop_while_nothing_comes() -> None:
    """A peer that has gone silent holds nobody up."""
    silent, unwanted = threading.Event(), threading.Event()

    def nothing() -> Iterator[bytes]:
        silent.wait(10)
        yield b"x"

    def expect_wanted() -> None:
        if unwanted.is_set():
            raise CancelledError

    threading.Timer(0.1, unwanted.set).start()
    with pytest.raises(CancelledError):
        next(relayed(nothing(), expect_wanted))
    silent.set()
