# SPDX-License-Identifier: Apache-2.0
"""Commits that an engine does not bring to their end: the server runs on."""

import contextlib
import io
import os
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import docker
import pytest

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.cloud.underlay import engine as underlay
from novadocker.errors import EngineOutOfSpace, EngineUnavailable
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.engine import Connection, Engine, Image, State

MIB = 1024**2
NAME = "nova-busy"
TAG = "nova-snapshot/busy:1"
# Enough for a commit to take a while.
WRITTEN_MIB = 256


@dataclass
class Site:
    """A server that has written much, on an engine of its own."""

    paths: EnginePaths
    engine: Engine
    guest: Guest


@pytest.fixture
def site(
    running_engine: Callable[[], AbstractContextManager[EnginePaths]],
    docker_api: Any,
    box: Image,
) -> Iterator[Site]:
    """Such a server, running."""
    with running_engine() as paths, contextlib.ExitStack() as undo:
        engine = Engine(Connection(paths.url))
        engine.load_image(docker_api.get_image(box.id))
        api = undo.enter_context(
            contextlib.closing(docker.APIClient(base_url=paths.url, version="auto", timeout=60))
        )
        made = api.create_container(
            box.id,
            ["/bin/sh", "-c", "sleep 600"],
            name=NAME,
            labels={"novadocker.instance": "busy"},
            network_disabled=True,
        )
        for number in range(WRITTEN_MIB // 32):
            api.put_archive(made["Id"], "/", _noise(f"noise{number}", 32 * MIB))
        engine.start(NAME)
        yield Site(paths, engine, Guest(engine, NAME))


def _noise(name: str, size: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = size
        tar.addfile(entry, io.BytesIO(os.urandom(size)))
    return buffer.getvalue()


def test_a_full_disk_is_told_as_such(site: Site) -> None:
    """The engine has no image more than before, and the server runs."""
    (place,) = site.paths.data.glob("**/overlay2/layerdb/tmp")
    before = site.engine.image_tags("")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(place)], check=True)
    try:
        with pytest.raises(EngineOutOfSpace):
            site.guest.commit(TAG, live=False)
    finally:
        subprocess.run(["umount", str(place)], check=True)
    assert site.engine.image_tags("") == before
    assert site.guest.get().state is State.RUNNING


# The SDK forgets to close a socket that it could not connect.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_an_engine_that_dies_in_a_commit_leaves_no_server_frozen(site: Site) -> None:
    """When it is back, the server runs, though the engine had paused it and died over it."""
    process = int(site.paths.pidfile.read_text())
    faults: list[Exception] = []

    def commit() -> None:
        try:
            site.guest.commit(TAG, live=False)
        except EngineUnavailable as fault:
            faults.append(fault)

    committing = threading.Thread(target=commit)
    committing.start()
    deadline = time.monotonic() + 20
    while site.guest.get().state is not State.PAUSED:
        assert time.monotonic() < deadline
    os.kill(process, signal.SIGKILL)
    time.sleep(1)
    with _started_again(site.paths):
        committing.join(60)
        assert not committing.is_alive()
        assert len(faults) == 1
        assert site.guest.get().state is State.RUNNING
        assert site.engine.image_tags("nova-snapshot/") == []
        site.engine.remove(NAME)


@contextlib.contextmanager
def _started_again(paths: EnginePaths) -> Iterator[None]:
    paths.pidfile.unlink(missing_ok=True)
    _, dockerd = underlay.commands(paths)
    with subprocess.Popen(
        dockerd.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()
