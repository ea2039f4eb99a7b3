# SPDX-License-Identifier: Apache-2.0
"""The engine's API, call by call, with its errors turned into ours."""

import contextlib
from collections import deque
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from novadocker.errors import ContainerNotFound
from novadocker.virt.docker.engine.calls.exec import ProgramCalls
from novadocker.virt.docker.engine.calls.images import ImageCalls
from novadocker.virt.docker.engine.calls.listing import ListingCalls
from novadocker.virt.docker.engine.calls.terminals import SessionCalls
from novadocker.virt.docker.engine.calls.update import ResizeCalls
from novadocker.virt.docker.engine.connection import raise_for_status
from novadocker.virt.docker.engine.posture import Posture
from novadocker.virt.docker.engine.spec import ContainerSpec
from novadocker.virt.docker.engine.usage import Usage
from novadocker.virt.docker.engine.values import (
    Container,
    EngineInfo,
    Event,
)

CHUNK_BYTES = 64 * 1024


class Engine(ImageCalls, ListingCalls, ProgramCalls, ResizeCalls, SessionCalls):
    """One Docker Engine; safe to use from many threads.

    Every method raises EngineUnavailable where the engine cannot be reached or goes away
    in the middle, and EngineError where it refuses, beside what it names itself.

    Args:
        connection: how it is reached. Nothing is sent before the first call.
    """

    def info(self) -> EngineInfo:
        """Return versions and abilities of the engine and its host.

        Returns:
            As the engine tells them now.
        """
        with self._call("describe itself"):
            return EngineInfo.parse(self._api.version(api_version=False), self._api.info())

    def posture(self) -> Posture:
        """Return how the engine is set up.

        Returns:
            As it tells it now.
        """
        with self._call("describe itself"):
            return Posture.parse(
                self._api.version(api_version=False), self._api.info(), self._api.networks()
            )

    # Containers

    def create(self, spec: ContainerSpec) -> None:
        """Make a container; it does not run yet.

        Args:
            spec: what it is.
        """
        with self._call(f"create container {spec.name}"):
            self._api.create_container_from_config(spec.body(), spec.name)

    def find(self, name: str) -> Container | None:
        """Look for a container.

        Args:
            name: its name or id.

        Returns:
            The container as it is now, or None.
        """
        try:
            return self.inspect(name)
        except ContainerNotFound:
            return None

    def inspect(self, name: str) -> Container:
        """Return a container as it is now.

        Args:
            name: its name or id.

        Returns:
            The container.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call("inspect a container", name):
            return Container.parse(self._api.inspect_container(name))

    def labels_by_name(self, label: str) -> Mapping[str, Mapping[str, str]]:
        """List containers, whatever their state.

        Args:
            label: "NAME" or "NAME=VALUE" that they carry.

        Returns:
            Their labels by their names.
        """
        with self._call("list containers"):
            found = self._api.containers(all=True, filters={"label": label})
            return {each["Names"][0].removeprefix("/"): each["Labels"] for each in found}

    def start(self, name: str) -> None:
        """Start a container; one that runs is left alone.

        Args:
            name: its name.

        Raises:
            ContainerNotFound: there is none.
            PolicyRefused: its lists of users are no files that can be read.
        """
        self.refuse_endless_accounts(name)
        with self._call(f"start container {name}", name):
            self._api.start(name)

    def stop(self, name: str, timeout: int) -> None:
        """End a container's process with the image's stop signal, and by force when it stays.

        Args:
            name: its name.
            timeout: seconds that it has after the signal.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"stop container {name}", name):
            self._api.stop(name, timeout=timeout)

    def pause(self, name: str) -> None:
        """Freeze a container.

        Args:
            name: its name.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"pause container {name}", name):
            self._api.pause(name)

    def unpause(self, name: str) -> None:
        """Thaw a container.

        Args:
            name: its name.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"unpause container {name}", name):
            self._api.unpause(name)

    def remove(self, name: str) -> None:
        """End and remove a container with its anonymous volumes; absence is no error.

        Args:
            name: its name.
        """
        with contextlib.suppress(ContainerNotFound), self._call(f"remove container {name}", name):
            self._api.remove_container(name, v=True, force=True)

    def put_files(self, name: str, archive: bytes, *, keep_directories: bool = False) -> None:
        """Unpack files into a container that does not run yet.

        Args:
            name: its name.
            archive: an uncompressed tar; paths are below the container's root.
            keep_directories: whether a file that would replace a directory is refused, and
                a directory that would replace a file.

        Raises:
            ContainerNotFound: there is none.
        """
        params = {"path": "/", "noOverwriteDirNonDir": str(keep_directories).lower()}
        with self._call(f"put files into container {name}", name):
            # Not by the SDK's own call, which does not know the second parameter.
            url = self._url(f"/containers/{quote(name)}/archive")
            raise_for_status(
                self._api.put(url, params=params, data=archive, timeout=self._api.timeout)
            )

    def get_file(self, name: str, path: str) -> Iterator[bytes]:
        """Read a path of a container as an uncompressed tar.

        Args:
            name: the container's name.
            path: absolute, inside the container.

        Returns:
            The archive, in chunks.

        Raises:
            ContainerNotFound: there is no such container or path.
        """
        with self._call(f"read {path} of container {name}", name):
            chunks: Iterator[bytes] = self._api.get_archive(name, path)[0]
            return chunks

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to a container's first process.

        Args:
            name: of the container.
            signal: its name.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"send {signal} to container {name}", name):
            self._api.kill(name, signal)

    def usage(self, name: str) -> Usage:
        """Return what a container that runs has used.

        Args:
            name: its name.

        Returns:
            As the engine counts it now.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"count what container {name} uses", name):
            return Usage.parse(self._api.stats(name, stream=False, one_shot=True))

    def tail(self, name: str, lines: int, size: int) -> bytes:
        """Return the end of what a container wrote.

        Args:
            name: its name.
            lines: how many lines of it at the most.
            size: how many bytes of those at the most.

        Returns:
            The bytes, the newest last.

        Raises:
            ContainerNotFound: there is none.
        """
        kept: deque[bytes] = deque()
        total = 0
        with self._call(f"read the log of container {name}", name):
            for chunk in self._log(name, lines):
                kept.append(chunk)
                total += len(chunk)
                while total - len(kept[0]) >= size:
                    total -= len(kept.popleft())
        return b"".join(kept)[-size:]

    def events(self, label: str, since: float) -> Iterator[Event]:
        """Follow what happens to containers.

        Args:
            label: "NAME=VALUE" that they carry.
            since: seconds since the epoch; what happened after that comes first.

        Returns:
            Events without end; ends only by an error.
        """
        filters = {"type": "container", "label": label}
        with self._call("tell events"):
            stream = self._api.events(since=f"{since:.9f}", filters=filters, decode=True)
            with contextlib.closing(stream):
                yield from (Event.parse(line) for line in stream)

    def _log(self, name: str, lines: int) -> Iterator[bytes]:
        # Not by the SDK's own call, which reads a terminal's log byte by byte.
        api = self._api
        url = f"{api.base_url}/v{api.api_version}/containers/{quote(name)}/logs"
        params = {"stdout": 1, "stderr": 1, "tail": lines}
        with api.get(url, params=params, stream=True, timeout=api.timeout) as answer:
            raise_for_status(answer)
            yield from answer.iter_content(CHUNK_BYTES)
