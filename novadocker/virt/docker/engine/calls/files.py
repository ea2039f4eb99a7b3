# SPDX-License-Identifier: Apache-2.0
"""The engine's calls about a container's files: put, get, and look without opening."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

import docker.errors

from novadocker.errors import PolicyRefused
from novadocker.virt.docker.engine.connection import NO_CONTAINER, Caller, refusal

ACCOUNTS = ("/etc/passwd", "/etc/group")  # in which the engine looks for users
ACCOUNTS_BYTES = 4 * 1024**2
STAT_HEADER = "X-Docker-Container-Path-Stat"
DIRECTORY = 1 << 31  # as Go's os.FileMode has it
EXECUTABLE = 0o111
NOT_REGULAR = 0x8F28_0000  # os.ModeType: all bits of what is no regular file
# Words of engines about a link that leads nowhere inside: in a circle, or above the root.
_ASTRAY = ("too many links", "too many levels of symbolic links", "path escapes")


@dataclass(frozen=True)
class _Found:
    mode: int
    size: int = 0
    target: str = ""  # of a link, followed to its end


_NOWHERE = _Found(NOT_REGULAR)


class FileCalls(Caller):
    """Calls about single paths of a container."""

    def put_files(self, name: str, archive: bytes, *, keep_directories: bool = False) -> None:
        """Unpack files into a container that does not run yet.

        Args:
            name: name of the container.
            archive: uncompressed tar; paths are below the container's root.
            keep_directories: True refuses a file in the place of a directory, and a directory
                in the place of a file.

        Raises:
            ContainerNotFound: there is no container.
            EngineError: a path of the archive leads nowhere in the container.
        """
        action = f"put files into container {name}"
        params = {"path": "/", "noOverwriteDirNonDir": str(keep_directories).lower()}
        with self._call(action, name):
            # Not by the SDK's own call, which does not know the second parameter.
            path = f"/containers/{quote(name)}/archive"
            try:
                self._send("put", "PUT", path, params=params, data=archive)
            except docker.errors.NotFound as error:
                # Docker 26 says so of a path too, and the container is there.
                if NO_CONTAINER in str(error.explanation):
                    raise
                raise refusal(action, error.explanation) from error

    def get_file(self, name: str, path: str) -> Iterator[bytes]:
        """Read a path of a container as an uncompressed tar.

        Args:
            name: name of the container.
            path: absolute path inside the container.

        Returns:
            The archive, in chunks.

        Raises:
            ContainerNotFound: there is no such container or path.
        """
        with self._call(f"read {path} of container {name}", name):
            chunks: Iterator[bytes] = self._api.get_archive(name, path)[0]
            return chunks

    def is_program(self, name: str, path: str) -> bool:
        """Tell whether a path is an executable file, without running anything.

        Args:
            name: name of the container.
            path: absolute path inside the container; links are followed.
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
        """Refuse a container whose lists of users the engine would read without an end.

        The engine reads them to find the user of a process, and its runtime reads them again
        inside, root's too. At a FIFO both wait for a writer, with a lock held: an inspect or a
        removal of the container waits with them.

        Args:
            name: name of the container.

        Raises:
            PolicyRefused: a list is no regular file, too large, or a link that leads astray.
            EngineFailed: the engine cannot tell, in its own words.
        """
        for path in ACCOUNTS:
            found = self._followed(name, path)
            if found and (found.mode & NOT_REGULAR or found.size > ACCOUNTS_BYTES):
                raise PolicyRefused(
                    setting=f"{path} of the server",
                    value="what cannot be read to an end or leads astray",
                    accepted=f"a regular file of at most {ACCOUNTS_BYTES // 1024**2} MiB",
                )

    def _followed(self, name: str, path: str) -> _Found | None:
        found = self._path(name, path)
        return self._path(name, found.target) if found and found.target else found

    def _path(self, name: str, path: str) -> _Found | None:
        # Not by the SDK's own call, which begins to read the file.
        url, params = f"/containers/{quote(name)}/archive", {"path": path}
        with self._call(f"look for {path} in container {name}", name):
            try:
                answer = self._send("stat", "HEAD", url, params=params)
            except docker.errors.NotFound:
                return None
            except docker.errors.APIError as error:
                if error.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
                    return self._why_not(name, path)
                raise
            told = json.loads(base64.b64decode(answer.headers[STAT_HEADER]))
            return _Found(told["mode"], told["size"], told["linkTarget"])

    def _why_not(self, name: str, path: str) -> _Found:
        # An answer to HEAD has no words. A path that cannot be found is not opened by GET.
        url, params = f"/containers/{quote(name)}/archive", {"path": path}
        try:
            self._send("stat", "GET", url, params=params, stream=True).close()
        except docker.errors.APIError as error:
            if not any(each in str(error.explanation) for each in _ASTRAY):
                raise
        return _NOWHERE
