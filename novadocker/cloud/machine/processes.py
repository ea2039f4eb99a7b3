# SPDX-License-Identifier: Apache-2.0
"""The processes of one cloud, whoever is their parent by now."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from novadocker.cloud.layout.layout import MEMBER, Layout


def processes(layout: Layout) -> Iterator[psutil.Process]:
    """Yield every process that carries this cloud's mark in its environment."""
    for process in psutil.process_iter():
        if process.pid != os.getpid() and _is_member(process, str(layout.state)):
            yield process


def pids_named(layout: Layout, name: str) -> set[int]:
    """Return the ids of this cloud's processes that run a program."""
    return {process.pid for process in processes(layout) if _name(process) == name}


def _is_member(process: psutil.Process, state: str) -> bool:
    try:
        marked = process.environ().get(MEMBER) == state
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
