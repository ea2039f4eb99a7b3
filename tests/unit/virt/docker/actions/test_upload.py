# SPDX-License-Identifier: Apache-2.0
"""Bytes that are made while they are read."""

from collections.abc import Iterator

import pytest

from novadocker.virt.docker.actions.upload import Upload


@pytest.mark.parametrize("size", [1, 3, 5, 100])
def test_all_bytes_are_given_in_the_portions_asked_for(size: int) -> None:
    """However the pieces are cut; only the last portion is short, and nothing follows it."""
    upload = Upload(iter([b"ab", b"cdefg", b"", b"h"]))
    portions = list(iter(lambda: upload.read(size), b""))
    assert b"".join(portions) == b"abcdefgh"
    assert all(len(each) == size for each in portions[:-1])
    assert upload.read(size) == b""
    assert (upload.size, upload.ended) == (8, True)


def test_what_was_not_read_is_not_counted() -> None:
    """A reader that went away has not had all."""
    upload = Upload(iter([b"abcd", b"efgh"]))
    assert upload.read(3) == b"abc"
    assert (upload.size, upload.ended) == (3, False)


def test_a_failure_stays_one() -> None:
    """Who reads on after it does not take it for the end."""

    def breaking() -> Iterator[bytes]:
        yield b"ab"
        raise ConnectionResetError("gone")

    upload = Upload(breaking())
    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            upload.read(3)
    assert not upload.ended
