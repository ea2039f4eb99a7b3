# SPDX-License-Identifier: Apache-2.0
"""What the engine tells of a container's files without opening them."""

import base64
import json
from dataclasses import dataclass

from novadocker.errors import PolicyRefused
from novadocker.virt.docker.engine.connection import Caller, raise_for_status

ACCOUNTS = ("/etc/passwd", "/etc/group")  # in which the engine looks for users
ACCOUNTS_BYTES = 4 * 1024**2
STAT_HEADER = "X-Docker-Container-Path-Stat"
DIRECTORY = 1 << 31  # as Go's os.FileMode has it
EXECUTABLE = 0o111
NOT_REGULAR = 0x8F28_0000  # os.ModeType: all bits of what is no regular file
_NOT_FOUND = 404
_ENGINE_FAILED = 500


@dataclass(frozen=True)
class _Found:
    mode: int
    size: int = 0
    target: str = ""  # of a link, followed to its end


_NOWHERE = _Found(NOT_REGULAR)


class PathCalls(Caller):
    """What the engine does with single paths."""

    def is_program(self, name: str, path: str) -> bool:
        """Look for a program, without running anything.

        Args:
            name: of the container.
            path: absolute, inside the container; links are followed.

        Returns:
            Whether there is an executable file.
        """
        found = self._followed(name, path)
        return bool(found and found.mode & EXECUTABLE and not found.mode & DIRECTORY)

    def link_target(self, name: str, path: str) -> str:
        """Follow a link to its end, inside a container.

        Args:
            name: container's name.
            path: absolute, inside the container.

        Returns:
            Absolute path behind all links; "" for anything but a link.

        Raises:
            ContainerNotFound: there is no such container.
        """
        found = self._path(name, path)
        return found.target if found else ""

    def refuse_endless_accounts(self, name: str) -> None:
        """Refuse a container whose lists of users the engine would read for ever.

        It reads them to find whose process it starts, and its runtime reads them again inside,
        root's too. At a FIFO they wait for somebody to write, with a lock held: whoever would
        inspect or remove the container waits with them.

        Args:
            name: of the container.

        Raises:
            PolicyRefused: one of them is no regular file, or too large.
        """
        for path in ACCOUNTS:
            found = self._followed(name, path)
            if found and (found.mode & NOT_REGULAR or found.size > ACCOUNTS_BYTES):
                raise PolicyRefused(
                    setting=f"{path} of the server",
                    value="what cannot be read to an end",
                    accepted=f"a regular file of at most {ACCOUNTS_BYTES // 1024**2} MiB",
                )

    def _followed(self, name: str, path: str) -> _Found | None:
        found = self._path(name, path)
        return self._path(name, found.target) if found and found.target else found

    def _path(self, name: str, path: str) -> _Found | None:
        # Not by the SDK's own call, which begins to read the file.
        url = self._url(f"/containers/{name}/archive")
        with self._call(f"look for {path} in container {name}", name):
            answer = self._api.head(url, params={"path": path}, timeout=self._api.timeout)
            if answer.status_code == _NOT_FOUND:
                return None
            if answer.status_code == _ENGINE_FAILED:
                return _NOWHERE  # a link that leads back to itself
            raise_for_status(answer)
            told = json.loads(base64.b64decode(answer.headers[STAT_HEADER]))
            return _Found(told["mode"], told["size"], told["linkTarget"])
