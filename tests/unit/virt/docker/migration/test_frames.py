# SPDX-License-Identifier: Apache-2.0

import pytest

from novadocker.errors import TransferFailed
from novadocker.virt.docker.migration.frames import Arriving, Outgoing


class Pipe:
    """A connection whose two ends are one."""

    def __init__(self) -> None:
        self.content = bytearray()

    def sendall(self, data: bytes, /) -> None:
        """Take bytes."""
        self.content += data

    def recv(self, size: int, /) -> bytes:
        """Give back fewer than asked for, as a socket may."""
        given = bytes(self.content[: min(size, 3)])
        del self.content[: len(given)]
        return given


def test_sections_survive() -> None:
    """Sections come as they were sent, an empty one too."""
    pipe = Pipe()
    out, arriving = Outgoing(pipe), Arriving(pipe)
    out.section({"section": "a"}, [b"12", b"", b"345"])
    out.section({"section": "b"})
    assert out.sent == len(pipe.content)
    assert arriving.heading() == {"section": "a"}
    assert b"".join(arriving.pieces()) == b"12345"
    assert arriving.heading() == {"section": "b"}
    assert list(arriving.pieces()) == []


def test_cut_section_is_a_fault() -> None:
    """A section without its end was cut off."""
    pipe = Pipe()
    Outgoing(pipe).section({"section": "a"}, [b"12345"])
    del pipe.content[-4:]
    arriving = Arriving(pipe)
    arriving.heading()
    with pytest.raises(TransferFailed, match="cut off"):
        list(arriving.pieces())


@pytest.mark.parametrize("heading", [b"\0\0\0\x02no", b"\0\0\0\x02[]", b"\xff\0\0\0"])
def test_no_heading_is_a_fault(heading: bytes) -> None:
    """Bytes that are no heading are refused, a size that nobody sends too."""
    pipe = Pipe()
    pipe.content += heading
    with pytest.raises(TransferFailed):
        Arriving(pipe).heading()


def test_fault_of_the_content_leaves_the_section_open() -> None:
    """A source that fails in the middle never looks like one that has ended."""
    pipe = Pipe()

    def pieces() -> object:
        yield b"12"
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError):
        Outgoing(pipe).section({}, pieces())  # type: ignore[arg-type]
    arriving = Arriving(pipe)
    arriving.heading()
    with pytest.raises(TransferFailed):
        list(arriving.pieces())
