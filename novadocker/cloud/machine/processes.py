# SPDX-License-Identifier: Apache-2.0
"""Processes of a cloud, found by their environment."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from novadocker.cloud.layout.layout import HOST, MEMBER, Layout


def processes(layout: Layout, host: str | None = None) -> Iterator[psutil.Process]:
    """Yield the processes with a cloud's mark in the environment.

    Args:
        layout: the cloud.
        host: name of a compute host whose processes alone are wanted.
    """
    marks = {MEMBER: str(layout.state), **({HOST: host} if host else {})}
    for process in psutil.process_iter():
        if process.pid != os.getpid() and _is_member(process, marks):
            yield process


def pids_named(layout: Layout, name: str, host: str | None = None) -> set[int]:
    """Return the ids of processes of a cloud, or of a host, with a program's name."""
    return {process.pid for process in processes(layout, host) if _name(process) == name}


def _is_member(process: psutil.Process, marks: Mapping[str, str]) -> bool:
    try:
        marked = marks.items() <= process.environ().items()
        return marked and _user_namespace(process.pid) == _user_namespace("self")
    except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
        # Just ended, or a thread of the kernel.
        return False


def _user_namespace(pid: int | str) -> int:
    # A server's programs live in another one, and their environment is the tenant's to choose.
    return Path(f"/proc/{pid}/ns/user").stat().st_ino


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""
