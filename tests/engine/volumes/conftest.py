# SPDX-License-Identifier: Apache-2.0
"""Volumes on loop devices of the machine, with the privileged daemon as in production."""

import contextlib
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import os_brick.privileged
import pytest
from oslo_concurrency import lockutils

from novadocker.virt.docker.engine import Container
from novadocker.virt.docker.volumes.attachments import Volumes
from novadocker.virt.docker.volumes.connector import Connector, HostIdentity
from novadocker.virt.docker.volumes.privileged import context as privileged
from novadocker.virt.docker.volumes.records import Records
from novadocker.virt.docker.volumes.values import Attachment, Trust
from tests.engine.virt.conftest import (  # noqa: F401 - fixtures
    _gate,
    box,
    docker_api,
    engine,
    instances,
    make_image,
    servers,
)
from tests.engine.virt.privileges import daemon

SIZE = 32 << 20


def command(*words: str) -> str:
    """Run a program of the machine and return what it printed."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@dataclass
class Storage:
    """A backend of loop devices, as os-brick's unmodified connector "local" knows them."""

    directory: Path
    volumes: Volumes
    records: Records
    _undo: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def device(self, content: Path | None = None) -> str:
        """Make a loop device, blank or with a content, and return its path."""
        file = self.directory / uuid.uuid4().hex
        if content:
            file.write_bytes(content.read_bytes())
        else:
            with file.open("wb") as made:
                made.truncate(SIZE)
        device = command("losetup", "--find", "--show", str(file))
        self._undo.callback(command, "losetup", "--detach", device)
        return device

    def attachment(self, instance: str, device: str, place: str, **more: Any) -> Attachment:
        """Return what a server asks for: a device at a place."""
        connection = {"driver_volume_type": "local", "data": {"device_path": device}}
        return Attachment(
            volume=str(uuid.uuid4()),
            instance=instance,
            place=place,
            connection=connection,
            **more,
        )

    def attach(self, container: Container, wanted: Attachment) -> None:
        """Attach a volume to a server that runs."""
        self.volumes.attach(wanted, container, lambda: (0, 0))

    def trusting(self, trust: Trust) -> "Storage":
        """Return the same backend under another choice of the operator's."""
        return replace(self, volumes=Volumes(self.records, Connector(identity), trust))

    def close(self) -> None:
        """Take all devices away; one that is held is an error."""
        self._undo.close()


def identity() -> HostIdentity:
    """Return this host as a backend would know it."""
    return HostIdentity("h1", "127.0.0.1")


@contextlib.contextmanager
def _of_os_brick() -> Iterator[None]:
    """Let os-brick run programs itself: this is root already."""
    os_brick.privileged.default.set_client_mode(False)
    yield
    os_brick.privileged.default.set_client_mode(True)


@pytest.fixture(scope="session", autouse=True)
def _privileged() -> Iterator[None]:
    lockutils.set_defaults(tempfile.gettempdir())
    with daemon(privileged), _of_os_brick():
        yield


@pytest.fixture
def storage() -> Iterator[Storage]:
    """A backend whose devices all have to be free at the end."""
    with tempfile.TemporaryDirectory(prefix="nd-", dir="/var/tmp") as made:
        directory = Path(made)
        records = Records(directory / "records")
        volumes = Volumes(records, Connector(identity), Trust.CHECKED)
        storage = Storage(directory, volumes, records)
        yield storage
        storage.close()
