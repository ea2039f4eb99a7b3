# SPDX-License-Identifier: Apache-2.0
"""The engine's calls about containers: life, names, use of the host."""

import contextlib
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from http import HTTPStatus
from urllib.parse import quote

import docker.errors
import tenacity

from novadocker.errors import ContainerNotFound
from novadocker.virt.docker.engine.calls.creation import CreationCalls
from novadocker.virt.docker.engine.calls.files import FileCalls
from novadocker.virt.docker.engine.settling import settled
from novadocker.virt.docker.engine.spec import ContainerSpec
from novadocker.virt.docker.engine.usage import Usage
from novadocker.virt.docker.engine.values import Container

CHUNK_BYTES = 64 * 1024
_REMOVAL_PAUSE = 0.2


class ContainerCalls(FileCalls, CreationCalls):
    """Calls about containers."""

    def create(self, spec: ContainerSpec) -> None:
        """Make a container, which does not run yet.

        Args:
            spec: description of the container.

        Raises:
            EngineReplyLost: the container was not seen for a minute; the container may come yet.
        """
        self._create(f"create container {spec.name}", spec.name, spec.body())

    def find(self, name: str, *, brief: bool = False) -> Container | None:
        """Look for a container.

        Args:
            name: name or id of the container.
            brief: True for background work, which has other servers to look after.

        Returns:
            The container as it is now, or None.
        """
        try:
            return self.inspect(name, brief=brief)
        except ContainerNotFound:
            return None

    def inspect(self, name: str, *, brief: bool = False) -> Container:
        """Return a container as it is now.

        Args:
            name: name or id of the container.
            brief: True for background work, which has other servers to look after.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call("inspect a container", name):
            path = f"/containers/{quote(name)}/json"
            return Container.parse(self._send("inspect", "GET", path, brief=brief).json())

    def labels_by_name(self, label: str) -> Mapping[str, Mapping[str, str]]:
        """List containers in whatever state.

        Args:
            label: "NAME" or "NAME=VALUE" of the containers wanted.

        Returns:
            Labels by the containers' names.
        """
        with self._call("list containers"):
            found = self._api.containers(all=True, filters={"label": label})
            return {each["Names"][0].removeprefix("/"): each["Labels"] for each in found}

    def start(self, name: str) -> None:
        """Start a container; a running container is left alone.

        Args:
            name: name of the container.

        Raises:
            ContainerNotFound: there is none.
            PolicyRefused: its lists of users are no files that can be read to an end.
        """
        self.refuse_endless_accounts(name)
        with self._call(f"start container {name}", name):
            self._api.start(name)

    def stop(self, name: str, timeout: int) -> None:
        """End a container's process with the image's stop signal, and by force if it stays.

        Args:
            name: name of the container.
            timeout: seconds between signal and force.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"stop container {name}", name):
            self._api.stop(name, timeout=timeout)

    def pause(self, name: str) -> None:
        """Freeze a container.

        Args:
            name: name of the container.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"pause container {name}", name):
            self._api.pause(name)

    def unpause(self, name: str) -> None:
        """Thaw a container.

        Args:
            name: name of the container.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"unpause container {name}", name):
            self._api.unpause(name)

    def remove(self, name: str) -> None:
        """End and remove a container with its anonymous volumes; absence is no error.

        Args:
            name: name of the container.

        Raises:
            EngineReplyLost: the removal goes on, or never began; ask again.
        """
        settled(partial(self._remove, name), partial(self._remove, name))

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to a container's first process.

        Args:
            name: name of the container.
            signal: name of the signal.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"send {signal} to container {name}", name):
            self._api.kill(name, signal)

    def usage(self, name: str) -> Usage:
        """Return the resources that a running container has used until now.

        Args:
            name: name of the container.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"count what container {name} uses", name):
            return Usage.parse(self._api.stats(name, stream=False, one_shot=True))

    def tail(self, name: str, lines: int, size: int) -> bytes:
        """Return the end of a container's output.

        Args:
            name: name of the container.
            lines: greatest number of lines.
            size: greatest number of bytes of those.

        Returns:
            Bytes, the newest last.

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

    def _remove(self, name: str) -> bool:
        params = {"v": "1", "force": "1"}
        with contextlib.suppress(ContainerNotFound), self._call(f"remove container {name}", name):
            try:
                self._send("remove", "DELETE", f"/containers/{quote(name)}", params=params)
            except docker.errors.APIError as error:
                # A removal whose reply was lost goes on in the engine, which refuses a second.
                if error.status_code != HTTPStatus.CONFLICT or "already in progress" not in str(
                    error.explanation
                ):
                    raise
                self._wait_for_removal(name)
        return True

    def _log(self, name: str, lines: int) -> Iterator[bytes]:
        # Not by the SDK's own call, which reads a terminal's log byte by byte.
        path = f"/containers/{quote(name)}/logs"
        params = {"stdout": 1, "stderr": 1, "tail": lines}
        with self._send("log", "GET", path, params=params, stream=True) as answer:
            yield from answer.iter_content(CHUNK_BYTES)

    def _wait_for_removal(self, name: str) -> None:
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda found: found is not None),
            stop=tenacity.stop_after_delay(self.connection.seconds("remove")),
            wait=tenacity.wait_fixed(_REMOVAL_PAUSE),
        )
        try:
            attempts(self.find, name)
        except tenacity.RetryError as error:
            reason = "its removal goes on"
            raise docker.errors.APIError(reason, explanation=reason) from error
