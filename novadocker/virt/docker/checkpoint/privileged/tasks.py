# SPDX-License-Identifier: Apache-2.0
"""Rights of a container's processes as the kernel has them, and its share of the processor."""

import os
from pathlib import Path
from typing import Any

from novadocker.virt.docker.checkpoint.privileged.context import entrypoint
from novadocker.virt.docker.privileged import namespace

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
_ENDED = ("Z", "X")
_FIELDS = ("NoNewPrivs", "Seccomp", "CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb")


@entrypoint
def rights(pid: int, container_id: str) -> list[dict[str, str]]:
    """Read the rights of every thread in the process namespace of a container's first one.

    Zombies are left out. They never run again, and CRIU lets a restored one end before it has
    taken away its own rights.

    Args:
        pid: first process of the container.
        container_id: engine's id of the container.

    Returns:
        For each thread members of proc(5)'s status, and "uid_map", "gid_map" and "user", the
        user namespace.
    """
    with namespace.held(pid, container_id, "ns/pid") as held:
        wanted = os.fstat(held).st_ino
        found = []
        for process in _processes():
            try:
                if (process / "ns/pid").stat().st_ino == wanted:
                    found += _rights_of(process)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                # It ended meanwhile, or has more rights than this daemon: no container's has.
                continue
    return found


@entrypoint
def lift_quota(pid: int, container_id: str) -> dict[str, str]:
    """Let a container use all processors, as CRIU works within the container's own limits.

    Args:
        pid: a process of the container.
        container_id: engine's id of the container.

    Returns:
        Limits of before by their files, for ``put_quota``.
    """
    with namespace.held(pid, container_id):
        groups = (PROC / str(pid) / "cgroup").read_text()
    before: dict[str, str] = {}
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if container_id not in path:
            continue
        if "cpu" in controllers.split(","):
            before |= _replace(CGROUPS / "cpu" / path.lstrip("/") / "cpu.cfs_quota_us", "-1")
        elif not controllers:
            before |= _replace(CGROUPS / path.lstrip("/") / "cpu.max", "max")
    return before


@entrypoint
def put_quota(before: dict[str, str]) -> None:
    """Put limits back.

    Args:
        before: result of ``lift_quota``.
    """
    for name, value in before.items():
        file = Path(name)
        if file.name in ("cpu.cfs_quota_us", "cpu.max") and file.is_relative_to(CGROUPS):
            file.write_text(value)


def _processes() -> list[Path]:
    return [each for each in PROC.iterdir() if each.name.isdecimal()]


def _rights_of(process: Path) -> list[dict[str, Any]]:
    of_all = {
        "uid_map": " ".join((process / "uid_map").read_text().split()),
        "gid_map": " ".join((process / "gid_map").read_text().split()),
        "user": str((process / "ns/user").stat().st_ino),
    }
    found = []
    for thread in (process / "task").iterdir():
        status = (thread / "status").read_text(errors="replace")
        lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        if lines["State"][0] not in _ENDED:
            fields = {name: lines[name].strip() for name in _FIELDS}
            found.append({"pid": thread.name, **fields, **of_all})
    return found


def _replace(file: Path, value: str) -> dict[str, str]:
    if not file.exists():
        return {}
    before = file.read_text().strip()
    file.write_text(value)
    return {str(file): before}
