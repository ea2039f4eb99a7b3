# SPDX-License-Identifier: Apache-2.0
"""Obstacles to a checkpoint of running processes, told before anything changes; pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from novadocker.errors import CheckpointError

# Of devices these alone are restored: a terminal of the container's own, and the kernel's five.
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "console", "ptmx")
_DIRECTORIES = ("/dev/pts/", "/dev/shm/", "/dev/mqueue/")  # noqa: S108 # nosec B108 - compared with, not opened
_FILES = {
    "anon_inode:[io_uring]": "uses io_uring",
    "anon_inode:[perf_event]": "measures by perf_event_open(2)",
    "anon_inode:[userfaultfd]": "handles page faults by userfaultfd(2)",
    "anon_inode:[fanotify]": "watches files by fanotify(7)",
    "anon_inode:inotify": "watches files by inotify(7)",
    "anon_inode:bpf-map": "uses bpf(2)",
    "anon_inode:bpf-prog": "uses bpf(2)",
}
_SOCKETS = {
    "MPTCP": "MPTCP; programs in Go keep to TCP with GODEBUG=multipathtcp=0",
    "MPTCPv6": "MPTCP; programs in Go keep to TCP with GODEBUG=multipathtcp=0",
    "SCTP": "SCTP",
    "SCTPv6": "SCTP",
    "AF_VSOCK": "AF_VSOCK",
}


def refuse(found: Mapping[str, Any]) -> None:
    """Refuse processes that CRIU cannot dump.

    Args:
        found: result of ``privileged.survey``.

    Raises:
        CheckpointError: there is one, and which and why.
    """
    reasons = list(_reasons(found))
    if reasons:
        raise CheckpointError(reason="; ".join(dict.fromkeys(reasons)))


def _reasons(found: Mapping[str, Any]) -> Iterator[str]:
    for process in found["processes"]:
        name = process["name"]
        if process["traced"]:
            yield f"its process {name} is being traced"
        if process["namespaces"]:
            kinds = ", ".join(process["namespaces"])
            yield f"its process {name} has namespaces of its own ({kinds})"
        for file in process["files"]:
            if file in _FILES:
                yield f"its process {name} {_FILES[file]}"
            elif _is_device(file):
                yield f"its process {name} has the device {file} open"
    for protocol, count in found["sockets"].items():
        if count and protocol in _SOCKETS:
            yield f"it has sockets of {_SOCKETS[protocol]}"
    if found["packet"]:
        yield "it has packet sockets"


def _is_device(name: str) -> bool:
    device = name.removeprefix("/dev/")
    return device != name and device not in _DEVICES and not name.startswith(_DIRECTORIES)
