# SPDX-License-Identifier: Apache-2.0
"""Tenant's own Docker Engine, the same as for ``docker``."""

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

import docker
import docker.errors
import requests.exceptions
import urllib3.exceptions

from novadocker.archive import Platform
from novadocker.client.errors import NoEngine, OriginUnreadable, innermost
from novadocker.client.origin import Reference

_CHUNK = 1024 * 1024
_LOST = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError)


@contextlib.contextmanager
def connected(origin: Reference) -> Iterator[Any]:
    """Reach the engine named by the environment (DOCKER_HOST and so on), or the local engine.

    Args:
        origin: image to be read, for messages.

    Raises:
        NoEngine: none answers.
    """
    try:
        api = docker.from_env(version="auto").api
    except docker.errors.DockerException as error:
        raise NoEngine(origin=origin, reason=innermost(error)) from error
    with contextlib.closing(api):
        yield api


def saved(api: Any, origin: Reference) -> Iterator[bytes]:
    """Save an image as ``docker save`` does.

    Args:
        api: the engine.
        origin: the image.

    Yields:
        The archive's bytes.

    Raises:
        OriginUnreadable: there is no such image, or the engine broke off.
    """
    with _reading(origin):
        # By its id, for the name may go to another image meanwhile. None of its names is
        # needed, and one archive of several names would be several images to some readers.
        yield from api.get_image(_id(api, origin), chunk_size=_CHUNK)


def pull(api: Any, origin: Reference, platform: Platform) -> None:
    """Have the engine pull an image.

    Args:
        api: the engine.
        origin: the image, with its registry's host in its name.
        platform: variant of the image.

    Raises:
        OriginUnreadable: the engine or the registry refused.
    """
    with _reading(origin):
        for line in api.pull(origin.text, stream=True, decode=True, platform=str(platform)):
            # The engine has answered 200 by now: a later failure is told only in a line.
            if reason := line.get("error"):
                raise OriginUnreadable(origin=origin, reason=reason)


def _id(api: Any, origin: Reference) -> str:
    try:
        return str(api.inspect_image(origin.text)["Id"])
    except docker.errors.ImageNotFound as error:
        reason = f"the Docker Engine has no image {origin.text}; 'docker pull' it first"
        if not origin.names_registry:
            reason += ", or name its registry (docker://docker.io/...)"
        raise OriginUnreadable(origin=origin, reason=reason) from error


@contextlib.contextmanager
def _reading(origin: Reference) -> Iterator[None]:
    try:
        yield
    except docker.errors.APIError as error:
        _refuse(origin, error.explanation or error)
    except (docker.errors.DockerException, *_LOST) as error:
        _refuse(origin, innermost(error))


def _refuse(origin: Reference, reason: object) -> NoReturn:
    raise OriginUnreadable(origin=origin, reason=reason)
