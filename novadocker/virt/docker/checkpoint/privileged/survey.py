# SPDX-License-Identifier: Apache-2.0
"""Survey of the kernel's means that a container's processes use, before a move."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from novadocker.virt.docker.checkpoint.privileged.context import entrypoint
from novadocker.virt.docker.privileged import namespace

PROC = Path("/proc")
_LISTENING = "0A"
NAMESPACES = ("user", "mnt", "net", "ipc", "uts", "cgroup", "pid")


@entrypoint
def survey(pid: int, container_id: str) -> dict[str, Any]:
    """Read what the processes that a container's first one has started use of the kernel.

    Args:
        pid: first process of the container.
        container_id: engine's id of the container.

    Returns:
        "processes", a list; "sockets", the number of sockets by the protocol's name; and
        "packet", the number of packet sockets.
    """
    with namespace.held(pid, container_id):
        first = PROC / str(pid)
        wanted = _namespaces(first)
        found = [_described(process, wanted) for process in _tree(pid)]
        return {
            "processes": [each for each in found if each],
            "sockets": _sockets((first / "net/protocols").read_text()),
            "packet": max(0, len((first / "net/packet").read_text().splitlines()) - 1),
        }


@entrypoint
def not_accepted(pid: int, container_id: str) -> int:
    """Return the number of TCP connections that wait for a program to accept them.

    Args:
        pid: first process of the container.
        container_id: engine's id of the container.
    """
    with namespace.held(pid, container_id):
        net = PROC / str(pid) / "net"
        tables = [(net / name).read_text() for name in ("tcp", "tcp6") if (net / name).exists()]
        return sum(_waiting(table) for table in tables)


def _waiting(table: str) -> int:
    # Of a listening socket, the queue that is received says how many wait.
    rows = (line.split() for line in table.splitlines()[1:])
    return sum(int(row[4].partition(":")[2], 16) for row in rows if row[3] == _LISTENING)


def _tree(pid: int) -> list[Path]:
    children: dict[int, list[int]] = {}
    for process in PROC.iterdir():
        if process.name.isdecimal():
            with suppress(OSError, ValueError, IndexError):
                # The name, in parentheses, may hold anything.
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(process.name))
    tree, pending = [], [pid]
    while pending:
        each = pending.pop()
        tree.append(PROC / str(each))
        pending += children.get(each, ())
    return tree


def _described(process: Path, wanted: Mapping[str, int]) -> dict[str, Any]:
    try:
        status = (process / "status").read_text(errors="replace")
        lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        own = _namespaces(process)
        return {
            "name": lines["Name"],
            "traced": lines["TracerPid"] != "0",
            "namespaces": [name for name in NAMESPACES if own[name] != wanted[name]],
            "files": sorted(_files(process)),
        }
    except (FileNotFoundError, ProcessLookupError):
        return {}  # it has ended


def _namespaces(process: Path) -> dict[str, int]:
    return {name: (process / "ns" / name).stat().st_ino for name in NAMESPACES}


def _files(process: Path) -> set[str]:
    found = set()
    for file in (process / "fd").iterdir():
        with suppress(FileNotFoundError):
            name = str(file.readlink())
            if name == "anon_inode:inotify" and not _watches(process, file.name):
                continue
            if name.startswith(("anon_inode:", "/dev/")):
                found.add(name)
    return found


def _watches(process: Path, number: str) -> bool:
    return "inotify wd:" in (process / "fdinfo" / number).read_text()


def _sockets(protocols: str) -> dict[str, int]:
    table = (line.split() for line in protocols.splitlines()[1:])
    return {words[0]: max(0, int(words[2])) for words in table if len(words) > 2}  # noqa: PLR2004
