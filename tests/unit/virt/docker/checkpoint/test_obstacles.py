# SPDX-License-Identifier: Apache-2.0
"""Processes that cannot be dumped, refused by name before anything changes."""

from typing import Any

import pytest

from novadocker.errors import CheckpointError
from novadocker.virt.docker.checkpoint import obstacles
from novadocker.virt.docker.checkpoint.privileged import announcement, survey


def _found(**changes: Any) -> dict[str, Any]:
    sockets = changes.pop("sockets", {"TCP": 3, "MPTCP": 0})
    packet = changes.pop("packet", 0)
    process = {"name": "app", "traced": False, "namespaces": [], "files": [], **changes}
    return {"processes": [process], "sockets": sockets, "packet": packet}


@pytest.mark.parametrize(
    "files",
    [[], ["/dev/null", "/dev/pts/0", "/dev/urandom"], ["anon_inode:[eventpoll]", "/dev/shm/x"]],
)
def test_an_ordinary_process_is_accepted(files: list[str]) -> None:
    """Terminals, the kernel's devices and epoll are restored."""
    obstacles.refuse(_found(files=files))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"files": ["anon_inode:[io_uring]"]}, "app uses io_uring"),
        ({"files": ["anon_inode:inotify"]}, "inotify"),
        ({"files": ["/dev/fuse"]}, "device /dev/fuse"),
        ({"traced": True}, "being traced"),
        ({"namespaces": ["mnt", "pid"]}, "namespaces of its own .mnt, pid"),
        ({"sockets": {"MPTCP": 1}}, "GODEBUG=multipathtcp=0"),
        ({"sockets": {"SCTP": 2}}, "SCTP"),
        ({"packet": 1}, "packet sockets"),
    ],
)
def test_a_process_that_cannot_be_dumped_is_named(changes: dict[str, Any], reason: str) -> None:
    """The message says which process, and what it uses."""
    with pytest.raises(CheckpointError, match=reason):
        obstacles.refuse(_found(**changes))


def test_sockets_are_counted_by_protocol() -> None:
    """The kernel's table has a heading, and -1 where it does not count."""
    table = (
        "protocol  size sockets  memory press maxhdr\n"
        "MPTCP     1936      1       0   no       0\n"
        "PACKET    1472     -1      -1   NI       0\n"
    )
    assert survey._sockets(table) == {"MPTCP": 1, "PACKET": 0}


def test_connections_that_wait_are_those_of_listeners() -> None:
    """Bytes in the queue of an established connection do not count."""
    table = (
        "  sl  local_address rem_address   st tx_queue:rx_queue tr tm->when\n"
        "   0: 00000000:0050 00000000:0000 0A 00000000:00000002 00:00000000\n"
        "   1: 0A00000A:0050 0B00000A:9C40 01 00000000:00000400 00:00000000\n"
    )
    assert survey._waiting(table) == 2


def test_the_announcement_is_a_reverse_request_of_arp() -> None:
    """It goes to everybody, from the address of the interface, as QEMU's does."""
    address = bytes.fromhex("fa163e010203")
    frame = announcement.frame(address)
    assert len(frame) == 60
    assert frame[:14] == b"\xff" * 6 + address + b"\x80\x35"
    assert frame[14:22] == bytes.fromhex("0001080006040003")
    assert frame[22:28] == address
    assert frame[32:38] == address
