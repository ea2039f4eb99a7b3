# SPDX-License-Identifier: Apache-2.0
"""What may go wrong while a container is made, a server's or its stand-in's."""

from collections.abc import Callable
from typing import Any

from novadocker.errors import ImageFetchFailed, WiringError
from novadocker.virt.docker.engine import Image

FETCH = ImageFetchFailed(image="i", reason="broken off")
WIRING = WiringError(port="p", reason="no bridge")


def break_images(servers: Any, _: Any) -> None:
    """Glance breaks off."""
    servers.images.fault = FETCH


def break_create(servers: Any, _: Any) -> None:
    """The engine refuses to make the container."""
    servers.images.image = Image(id=f"sha256:{'0' * 64}", command=("/bin/sh",))


def break_start(servers: Any, make_image: Callable[..., Image]) -> None:
    """The engine makes the container and cannot start it."""
    servers.images.image = make_image(User="nobody-known")
