# SPDX-License-Identifier: Apache-2.0
"""Connection to the engine: transport, API version, time limits, and its errors as ours."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import docker
import docker.errors
import docker.tls
import requests
import requests.adapters
import requests.exceptions
import urllib3.exceptions
from oslo_log import log as logging
from urllib3.connection import HTTPConnection

from novadocker.errors import (
    ContainerNotFound,
    EngineError,
    EngineFailed,
    EngineOutOfSpace,
    EngineReplyLost,
    EngineUnavailable,
)
from novadocker.virt.docker.engine.features import NEWEST_API, spoken_version
from novadocker.virt.docker.engine.time_limits import (
    BRIEF_SECONDS,
    NEGOTIATION_SECONDS,
    SILENCE_SECONDS,
    WORK,
    Work,
)
from novadocker.virt.docker.engine.values import api_version

LOG = logging.getLogger(__name__)

_LOST = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)
# Causes of a lost connection before a byte of the request was sent.
_NOT_SENT = (
    ConnectionRefusedError,
    FileNotFoundError,
    PermissionError,
    requests.exceptions.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
)
NO_SPACE = "no space left on device"
NO_CONTAINER = "No such container"
OTHER_VERSION = ("client version", "is too ")  # "client version 1.41 is too old. Minimum ..."
# A peer that vanished without a word is noticed within a minute, on a silent connection too:
# Linux itself waits two hours before it looks, and only where it is told to.
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)


@dataclass(frozen=True)
class Connection:
    """Address of the engine, credentials for it, and time limits of calls.

    Attributes:
        url: unix://PATH or tcp://HOST:PORT.
        timeout: seconds for the answer of a call that the engine serves from memory.
        ca_file: CA bundle for the engine's certificate.
        cert_file: client certificate.
        key_file: key of the client certificate.
        insecure: True takes the engine's certificate unverified.
        disk_timeout: seconds for the answer of a call that goes over many files, during which
            the engine says nothing.
    """

    url: str
    timeout: int = 120
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    insecure: bool = False
    disk_timeout: int = 3600

    def seconds(self, call: str, *, brief: bool = False) -> float:
        """Return the time limit of a call.

        Args:
            call: name in the table of time limits.
            brief: True for background work on behalf of one of many servers.
        """
        if brief:
            return min(self.timeout, BRIEF_SECONDS)
        limits = {Work.MEMORY: self.timeout, Work.FILES: self.disk_timeout}
        return limits.get(WORK[call], SILENCE_SECONDS)

    def tls(self) -> docker.tls.TLSConfig | bool:
        """Return the SDK's settings for TLS.

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


class _KeepAlive(requests.adapters.HTTPAdapter):
    """Transport by TCP whose connections probe a silent peer."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        options["socket_options"] = [*HTTPConnection.default_socket_options, *_KEEP_ALIVE]
        super().init_poolmanager(*arguments, **options)


class _Client(docker.APIClient):
    """The SDK's client, deaf to the environment: nova.conf alone decides on TLS.

    Args:
        connection: address, credentials and time limits.
    """

    trust_env = property(lambda _: False, lambda _, __: None)
    _version: str

    def __init__(self, connection: Connection) -> None:
        newest = ".".join(map(str, NEWEST_API))
        timeout, tls = connection.timeout, connection.tls()
        super().__init__(base_url=connection.url, version=newest, timeout=timeout, tls=tls)
        for scheme in ("http://", "https://"):
            if scheme in self.adapters:  # a client of a Unix socket has neither
                self.mount(scheme, _KeepAlive())
        self.negotiate()

    def negotiate(self) -> bool:
        """Ask for the engine's API versions; an upgrade may have taken the old one away.

        Returns:
            True if another version is spoken from now on.
        """
        # Not by the SDK, which speaks whatever is the engine's newest. With a limit of its own,
        # since every other thread waits for the client meanwhile.
        seconds = min(self.timeout, NEGOTIATION_SECONDS)
        answer = self.get(f"{self.base_url}/version", timeout=seconds)
        raise_for_status(answer)
        told = answer.json()
        oldest = api_version(told.get("MinAPIVersion") or "1.12")
        spoken = spoken_version(oldest, api_version(told["ApiVersion"]))
        before = str(self._version)
        self._version = ".".join(map(str, spoken))
        return before != self._version


class Caller:
    """Common part of all groups of calls; safe to use from many threads.

    Every method raises EngineUnavailable if the engine cannot be reached, EngineReplyLost if
    it goes away in the middle, and EngineError if it refuses, beside the errors that the
    method names itself.

    Args:
        connection: address, credentials and time limits. Nothing is sent before the first call.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._connecting = threading.Lock()
        self._client: _Client | None = None
        self._stale = False

    @property
    def _api(self) -> Any:
        # One thread asks for the version, the others wait: they could not speak without it.
        with self._connecting:
            try:
                if self._client is None:
                    self._client = _Client(self.connection)
                elif self._stale and self._client.negotiate():
                    LOG.warning(
                        "The engine at %s is another version: it is spoken to by API %s now",
                        self.connection.url,
                        self._client.api_version,
                    )
            except (docker.errors.DockerException, KeyError, ValueError, *_LOST) as error:
                raise EngineUnavailable(url=self.connection.url, reason=error) from error
            self._stale = False
            return self._client

    def _url(self, path: str) -> str:
        api = self._api
        return f"{api.base_url}/v{api.api_version}{path}"

    def _send(
        self, call: str, method: str, path: str, *, brief: bool = False, **arguments: Any
    ) -> requests.Response:
        """Send a request with the time limit of its work, where the SDK has one for all.

        Args:
            call: name in the table of time limits.
            method: HTTP method.
            path: path below the API's version.
            brief: True for background work on behalf of one of many servers.
            **arguments: further arguments of ``requests.Session.request``.

        Returns:
            An answer that is no error.
        """
        seconds = self.connection.seconds(call, brief=brief)
        url = self._url(path)
        answer: requests.Response = self._api.request(method, url, timeout=seconds, **arguments)
        try:
            raise_for_status(answer)
        except BaseException:
            answer.close()
            raise
        return answer

    @contextlib.contextmanager
    def _call(self, action: str, name: str | None = None) -> Iterator[None]:
        try:
            yield
        except docker.errors.NotFound as error:
            if name is None:
                raise refusal(action, error.explanation) from error
            raise ContainerNotFound(name=name) from error
        except docker.errors.APIError as error:
            raise self._refusal(action, error) from error
        except _LOST as error:
            # Whoever answers next may be another version of the engine.
            self._stale = True
            if any(isinstance(each, _NOT_SENT) for each in causes(error)):
                raise EngineUnavailable(url=self.connection.url, reason=error) from error
            raise EngineReplyLost(url=self.connection.url, action=action, reason=error) from error
        except docker.errors.DockerException as error:
            raise EngineUnavailable(url=self.connection.url, reason=error) from error

    def _refusal(self, action: str, error: docker.errors.APIError) -> EngineError:
        reason = str(error.explanation)
        if all(each in reason for each in OTHER_VERSION):
            self._stale = True
            return EngineUnavailable(url=self.connection.url, reason=reason)
        failed = error.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
        return refusal(action, reason, failed=failed)


def raise_for_status(answer: requests.Response) -> None:
    """Raise the SDK's exception for an answer that is an error.

    Args:
        answer: answer to a request that the SDK has no call for.

    Raises:
        docker.errors.APIError: status of 400 or more.
    """
    try:
        answer.raise_for_status()
    except requests.exceptions.HTTPError as error:
        raise docker.errors.create_api_error_from_http_exception(error) from error


def refusal(action: str, reason: Any, *, failed: bool = False) -> EngineError:
    """Return the error for a call that the engine refused.

    Args:
        action: purpose of the call, as "load an image".
        reason: the engine's own words.
        failed: True for a fault of the engine itself.

    Returns:
        The error in the class of its cause.
    """
    if NO_SPACE in str(reason):
        return EngineOutOfSpace(action=action, reason=reason)
    return (EngineFailed if failed else EngineError)(action=action, reason=reason)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions inside an exception: causes, contexts, and arguments.

    ``requests`` and ``urllib3`` hand the socket's own error on as an argument.

    Args:
        error: the outermost exception.
    """
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        waiting += [found for found in inner if isinstance(found, BaseException)]
