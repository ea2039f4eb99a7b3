# SPDX-License-Identifier: Apache-2.0
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from novadocker.client.checked_stream import Passing
from novadocker.errors import ImageInvalid
from tests.unit.client.conftest import examination

pytestmark = pytest.mark.timeout(30)


def pieces(data: bytes, size: int = 512) -> Iterator[bytes]:
    """Cut bytes."""
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """See that no examination stays behind."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def test_a_sound_archive_goes_by_unchanged(saved_images: Any) -> None:
    """Byte for byte, and it is known afterwards what it was."""
    data = saved_images.old_style(saved_images.layer()).tar()
    passing = Passing(pieces(data), examination)
    assert b"".join(passing) == data
    assert passing.examined.size == len(data)
    assert len(passing.examined.image.layers) == 1


@pytest.mark.parametrize("cut", [10, 512, 2048, 5000, -1024, -1])
def test_the_end_of_an_unsound_archive_is_never_given(saved_images: Any, cut: int) -> None:
    """Whoever gets less than all, with an error, keeps nothing."""
    data = saved_images.old_style(saved_images.layer()).tar()[:cut]
    given: list[bytes] = []
    with pytest.raises(ImageInvalid):
        given.extend(Passing(pieces(data), examination))
    assert len(b"".join(given)) < len(data)


def test_a_fault_early_in_a_long_stream_ends_it(saved_images: Any) -> None:
    """Nobody waits until the last of a hundred thousand chunks to hear it."""
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"no tar" * 1000

    with pytest.raises(ImageInvalid):
        for _ in Passing(endless(), examination):
            pass
    assert taken < 20


def test_a_source_that_fails_is_told(saved_images: Any) -> None:
    """Its own error comes out, not that the archive is cut off."""

    def failing() -> Iterator[bytes]:
        yield saved_images.old_style(saved_images.layer()).tar()[:2048]
        raise OSError("the pipe broke")

    with pytest.raises(OSError, match="the pipe broke"):
        list(Passing(failing(), examination))


def test_a_reader_that_gives_up_leaves_nothing_running(saved_images: Any) -> None:
    """As when a connection breaks or a user presses Ctrl-C."""
    data = saved_images.old_style(saved_images.layer()).tar()
    reading = iter(Passing(pieces(data), examination))
    next(reading)
    reading.close()


def test_an_empty_source_is_no_archive() -> None:
    """Nothing is not sound."""
    with pytest.raises(ImageInvalid, match="empty"):
        list(Passing(iter(()), examination))
