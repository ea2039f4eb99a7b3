# SPDX-License-Identifier: Apache-2.0
"""How the engine is reached, and what is made of its errors."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import docker.errors
import docker.tls
import requests
import requests.exceptions
import urllib3.exceptions

from novadocker.errors import (
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
        disk_timeout: seconds that a call may wait which goes over all that a container has
            written, and says nothing before it is through.
    """

    url: str
    timeout: int = 120
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    insecure: bool = False
    disk_timeout: int = 3600

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


class Caller:
    """What calls of every kind have in common; safe to use from many threads.

    Every method raises EngineUnavailable where the engine cannot be reached or goes away
    in the middle, and EngineError where it refuses, beside what it names itself.

    Args:
        connection: how the engine is reached. Nothing is sent before the first call.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._connecting = threading.Lock()
        self._client: docker.APIClient | None = None

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

    def _url(self, path: str) -> str:
        """For what the SDK has no call that would do."""
        api = self._api
        return f"{api.base_url}/v{api.api_version}{path}"

    @contextlib.contextmanager
    def _call(self, action: str, name: str | None = None) -> Iterator[None]:
        try:
            yield
        except docker.errors.NotFound as error:
            if name is None:
                raise refusal(action, error.explanation) from error
            raise ContainerNotFound(name=name) from error
        except docker.errors.APIError as error:
            raise refusal(action, error.explanation) from error
        except (docker.errors.DockerException, *_LOST) as error:
            raise EngineUnavailable(url=self.connection.url, reason=error) from error


def raise_for_status(answer: requests.Response) -> None:
    """Raise what the SDK's own calls raise for an answer that is an error.

    Args:
        answer: to a call that was not made by the SDK's own.

    Raises:
        docker.errors.APIError: it is one.
    """
    try:
        answer.raise_for_status()
    except requests.exceptions.HTTPError as error:
        raise docker.errors.create_api_error_from_http_exception(error) from error


def refusal(action: str, reason: Any) -> EngineError:
    """Return the error for a call that the engine refused.

    Args:
        action: what it was to do.
        reason: why not, in its own words.

    Returns:
        The error, by its class.
    """
    kind = EngineOutOfSpace if NO_SPACE in str(reason) else EngineError
    return kind(action=action, reason=reason)
