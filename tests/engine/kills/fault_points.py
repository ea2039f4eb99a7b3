# SPDX-License-Identifier: Apache-2.0
"""Fault points of a driver: before each change outside of the process.

What a death leaves behind is decided by the last change alone: between two of them every moment
is like every other. So the points are before each call that changes something (the engine, the
kernel's links, files, Glance), while the engine works on a call, and at each wait for Neutron.
"""

import http.client
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from pyroute2.iproute import linux

READS = ("GET", "HEAD")
NEVER = -1
AT_GATE = "write open"
_CHANGES_OF_FILES = frozenset(
    {"os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.chmod", "shutil.copyfile"}
)
_FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class FaultPoints:
    """Counter of the fault points of a process, and the end of the process at one point.

    Args:
        root: directory whose files count.
        fatal: number of the point at which the process dies; ``NEVER`` for none.
    """

    def __init__(self, root: Path, fatal: int) -> None:
        self.reached: list[str] = []
        self._root = str(root)
        self._fatal = fatal
        self._lock = threading.Lock()

    def reach(self, words: str) -> None:
        """Come to a point.

        Args:
            words: the change that is next.
        """
        with self._lock:
            if words == AT_GATE and self.reached[-1:] == [words]:
                return  # a wait asks again and again
            self.reached.append(words)
            if len(self.reached) - 1 == self._fatal:
                # By no exception: an undoing of the driver would run, as it does not in a death.
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)  # the signal comes at the latest when the kernel is left

    def install(self) -> None:
        """Put the points into the libraries of the process, until the end of the process."""
        self._wrap(requests.Session, "send", self._before_request)
        self._wrap(http.client.HTTPConnection, "getresponse", self._during_request)
        for kind in ("link", "addr", "route"):
            self._wrap(linux.RTNL_API, kind, self._before_netlink(kind))
        sys.addaudithook(self._before_file)

    def _wrap(self, owner: type[Any], name: str, before: Callable[..., None]) -> None:
        original = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            before(*arguments)
            return original(*arguments, **named)

        setattr(owner, name, wrapped)

    def _before_request(self, _session: Any, request: Any, *_: Any) -> None:
        if request.method not in READS:
            self.reach(f"{request.method} {_bare(request.path_url)}")

    def _during_request(self, connection: Any, *_: Any) -> None:
        if connection._method not in READS:
            self.reach(f"{connection._method}, sent")

    def _before_netlink(self, kind: str) -> Callable[..., None]:
        def before(_ip: Any, command: str = "", *_: Any) -> None:
            if command not in ("get", "dump"):
                self.reach(f"{kind} {command}")

        return before

    def _before_file(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, str) and isinstance(flags, int) and flags & _FOR_WRITING:
                self._reach_file("write", path)
        elif event in _CHANGES_OF_FILES:
            self._reach_file(event, str(arguments[0]))

    def _reach_file(self, action: str, path: str) -> None:
        # Paths of a tree that is removed are relative to a descriptor.
        if path.startswith(self._root) or not path.startswith("/"):
            self.reach(f"{action} {Path(path).name}")


def _bare(path: str) -> str:
    return "/".join(path.partition("?")[0].split("/")[2:])[:60]
