# SPDX-License-Identifier: Apache-2.0
"""The engine's API, call by call, with its errors turned into ours."""

import contextlib
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import docker
import docker.errors
import docker.tls
import requests.exceptions
import urllib3.exceptions

from novadocker.virt.docker.engine.values import Container, ContainerSpec, EngineInfo, Event, Image
from novadocker.virt.docker.errors import (
    ContainerNotFound,
    EngineError,
    EngineOutOfSpace,
    EngineUnavailable,
)

_LOST = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)
CHUNK_BYTES = 64 * 1024
NO_SPACE = "no space left on device"


@dataclass(frozen=True)
class Connection:
    """How the engine is reached.

    Attributes:
        url: unix://PATH or tcp://HOST:PORT.
        timeout: seconds that a call may wait for its answer.
        ca_file: CA bundle for the engine's certificate.
        cert_file: client certificate.
        key_file: key of the client certificate.
        insecure: whether the engine's certificate is taken unverified.
    """

    url: str
    timeout: int = 120
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    insecure: bool = False

    def tls(self) -> docker.tls.TLSConfig | bool:
        """Return what the SDK wants for TLS.

        Returns:
            False for a Unix socket.

        Raises:
            docker.errors.TLSParameterError: a file is missing.
        """
        if not self.url.startswith("tcp:"):
            return False
        pair = (self.cert_file, self.key_file) if self.cert_file and self.key_file else None
        return docker.tls.TLSConfig(
            client_cert=pair, ca_cert=self.ca_file, verify=not self.insecure
        )


class _Client(docker.APIClient):
    """The SDK's client, deaf to the environment: what nova.conf says of TLS holds."""

    trust_env = property(lambda _: False, lambda _, __: None)


class Engine:
    """One Docker Engine; safe to use from many threads.

    Every method raises EngineUnavailable where the engine cannot be reached or goes away
    in the middle, and EngineError where it refuses, beside what it names itself.

    Args:
        connection: how it is reached. Nothing is sent before the first call.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._connecting = threading.Lock()
        self._client: docker.APIClient | None = None

    def info(self) -> EngineInfo:
        """Return versions and abilities of the engine and its host.

        Returns:
            As the engine tells them now.
        """
        with self._call("describe itself"):
            return EngineInfo.parse(self._api.version(api_version=False), self._api.info())

    # Images

    def find_image(self, tag: str) -> Image | None:
        """Look for an image.

        Args:
            tag: one of its names, or its id.

        Returns:
            The image, or None where the engine has none of that name.
        """
        with self._call(f"look for image {tag}"):
            try:
                return Image.parse(self._api.inspect_image(tag))
            except docker.errors.ImageNotFound:
                return None

    def load_image(self, chunks: Iterable[bytes]) -> None:
        """Load a ``docker save`` archive as it comes.

        Args:
            chunks: the archive's bytes; what they raise ends the call and is raised.

        Raises:
            EngineOutOfSpace: there was no room for it.
        """
        action = "load an image"
        with self._call(action):
            # Not quiet: the time limit is one between signs of life, and layers take long.
            for line in self._api.load_image(iter(chunks), quiet=False):
                # The SDK lets the body of a failed request through: that is a "message".
                if reason := line.get("error") or line.get("message"):
                    raise _refusal(action, reason)

    def remove_image(self, tag: str) -> None:
        """Take a name from an image, and the image with its last name; absence is no error.

        Args:
            tag: the name.
        """
        with self._call(f"remove image {tag}"), contextlib.suppress(docker.errors.ImageNotFound):
            self._api.remove_image(tag)

    def image_tags(self, prefix: str) -> list[str]:
        """List names of images.

        Args:
            prefix: what they begin with.

        Returns:
            The names, sorted.
        """
        with self._call("list images"):
            names = (tag for image in self._api.images() for tag in image.get("RepoTags") or ())
            return sorted(name for name in names if name.startswith(prefix))

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

    def names(self, label: str) -> Mapping[str, Mapping[str, str]]:
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
        """
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

    def put_files(self, name: str, archive: bytes) -> None:
        """Unpack files into a container that does not run yet.

        Args:
            name: its name.
            archive: an uncompressed tar; paths are below the container's root.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"put files into container {name}", name):
            self._api.put_archive(name, "/", archive)

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
            try:
                answer.raise_for_status()
            except requests.exceptions.HTTPError as error:
                raise docker.errors.create_api_error_from_http_exception(error) from error
            yield from answer.iter_content(CHUNK_BYTES)

    @property
    def _api(self) -> Any:
        with self._connecting:
            if self._client is None:
                connection = self.connection
                self._client = _Client(
                    base_url=connection.url,
                    version="auto",
                    timeout=connection.timeout,
                    tls=connection.tls(),
                )
            return self._client

    @contextlib.contextmanager
    def _call(self, action: str, name: str | None = None) -> Iterator[None]:
        try:
            yield
        except docker.errors.NotFound as error:
            if name is None:
                raise _refusal(action, error.explanation) from error
            raise ContainerNotFound(name=name) from error
        except docker.errors.APIError as error:
            raise _refusal(action, error.explanation) from error
        except (docker.errors.DockerException, *_LOST) as error:
            raise EngineUnavailable(url=self.connection.url, reason=error) from error


def _refusal(action: str, reason: Any) -> EngineError:
    kind = EngineOutOfSpace if NO_SPACE in str(reason) else EngineError
    return kind(action=action, reason=reason)
