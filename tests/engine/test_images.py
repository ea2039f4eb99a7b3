# SPDX-License-Identifier: Apache-2.0
"""Images on a real engine: what it saved itself, what is damaged, what breaks in the middle."""

import contextlib
import gzip
import io
import os
import random
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import docker
import pytest

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.errors import (
    EngineOutOfSpace,
    EngineUnavailable,
    ImageFetchFailed,
    ImageInvalid,
)
from novadocker.virt.docker.engine import Connection, Engine
from novadocker.virt.docker.images import Images
from tests.support import busybox

IMAGE = "5f0c1f3e-7b0d-4f8e-9d27-0d6f6b1f9a10"
MD5 = "0123456789abcdef0123456789abcdef"
TAG = f"nova/{IMAGE}:{MD5}"
PIECE = 65536


class Meta:
    """What of Nova's ImageMeta is read."""

    id = IMAGE
    container_format = "docker"
    checksum = MD5
    size = 0

    def obj_attr_is_set(self, name: str) -> bool:
        """Say that all is known."""
        return True


class Glance:
    """Serves bytes, and does something before the piece at the middle."""

    def __init__(self, data: bytes, halfway: Callable[[], None] = lambda: None) -> None:
        self.data = data
        self.halfway = halfway

    def download(self, context: Any, image_id: str) -> Iterator[bytes]:
        """Give the image's bytes."""
        middle = len(self.data) // PIECE // 2 * PIECE
        for at in range(0, len(self.data), PIECE):
            if at == middle:
                self.halfway()
            yield self.data[at : at + PIECE]


def ensure(engine: Engine, data: bytes, halfway: Callable[[], None] = lambda: None) -> Any:
    """Boot an image of those bytes, as far as images go."""
    return Images(engine, Glance(data, halfway)).ensure(None, Meta())


def rootfs(ballast: int) -> bytes:
    """Return the tar of a root directory with a shell, and noise to make it large."""
    return noise(ballast, lambda tar: busybox.put(tar, "bin/sh"))


def noise(ballast: int, before: Callable[[tarfile.TarFile], None] = lambda _: None) -> bytes:
    """Return a tar with a file of that size, the same bytes at every call."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        before(tar)
        noise = tarfile.TarInfo("noise")
        noise.size = ballast
        content = random.Random(ballast).randbytes(ballast)  # noqa: S311 - filling
        tar.addfile(noise, io.BytesIO(content))
    return buffer.getvalue()


def names(client: docker.DockerClient) -> set[tuple[str, ...]]:
    """Return what ``docker images --all`` shows."""
    return {(image.id, *sorted(image.tags)) for image in client.images.list(all=True)}


@pytest.fixture
def client(engine_socket: Path) -> Iterator[docker.DockerClient]:
    """Return a client of the session's engine; its images are gone afterwards."""
    with contextlib.closing(docker.DockerClient(base_url=f"unix://{engine_socket}")) as client:
        before = names(client)
        yield client
        for image in names(client) - before:
            for tag in image[1:]:
                client.images.remove(tag)


@pytest.fixture
def engine(engine_socket: Path) -> Engine:
    """Return the session's engine."""
    return Engine(Connection(f"unix://{engine_socket}"))


@pytest.fixture
def saved(client: docker.DockerClient) -> tuple[str, bytes]:
    """Return id and bytes of an image, as this engine saves it; the engine has it no more.

    It has four layers, of which two are equal and therefore one file and a link to it.
    """
    client.api.import_image_from_data(rootfs(3 << 20), repository="made/here", tag="0")
    for number, change in enumerate([noise(1000), noise(7), noise(1000)]):
        container = client.api.create_container(f"made/here:{number}", "/bin/sh")["Id"]
        client.api.put_archive(container, "/", change)
        image = client.api.commit(container, "made/here", f"{number + 1}")["Id"]
        client.api.remove_container(container)
    client.api.tag("made/here:3", "made/here", "latest")
    data = b"".join(client.api.get_image("made/here:latest"))
    for tag in ("latest", *"3210"):
        client.images.remove(f"made/here:{tag}")
    return image, data


def test_what_the_engine_saved_is_loaded(
    engine: Engine, client: docker.DockerClient, saved: tuple[str, bytes]
) -> None:
    """The same id comes back, under our name and no other; links of old saves are followed."""
    image, data = saved
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert any(member.issym() for member in tar) or "oci-layout" in tar.getnames()
    assert ensure(engine, data).id == image
    assert client.images.get(TAG).tags == [TAG]
    assert ensure(engine, b"not needed again").id == image


def test_what_was_compressed_is_loaded(
    engine: Engine, client: docker.DockerClient, saved: tuple[str, bytes]
) -> None:
    """``docker save | gzip`` is as good."""
    image, data = saved
    assert ensure(engine, gzip.compress(data, 1)).id == image


def test_no_name_in_the_archive_counts(
    engine: Engine, client: docker.DockerClient, saved: tuple[str, bytes]
) -> None:
    """An image that calls itself another's name leaves that one alone."""
    client.api.import_image_from_data(rootfs(17), repository="made/here", tag="latest")
    victim = client.images.get("made/here:latest").id
    image, data = saved
    assert b"made/here:latest" in data
    assert ensure(engine, data).id == image != victim
    assert client.images.get("made/here:latest").id == victim


@pytest.mark.parametrize("part", [0.1, 0.5, 0.999])
def test_a_truncated_image_leaves_nothing(
    engine: Engine, client: docker.DockerClient, saved: tuple[str, bytes], part: float
) -> None:
    """Wherever it ends too early, the engine's list of images is as before."""
    before = names(client)
    data = saved[1]
    with pytest.raises(ImageInvalid):
        ensure(engine, data[: int(len(data) * part)])
    assert names(client) == before


def test_a_damaged_layer_leaves_nothing(
    engine: Engine, client: docker.DockerClient, saved: tuple[str, bytes]
) -> None:
    """One wrong bit, and the engine's list of images is as before."""
    before = names(client)
    damaged = bytearray(saved[1])
    damaged[len(damaged) // 2] ^= 1
    with pytest.raises(ImageInvalid, match="has the digest"):
        ensure(engine, bytes(damaged))
    assert names(client) == before


def test_glance_breaking_off_leaves_nothing(
    engine: Engine, client: docker.DockerClient, saved: tuple[str, bytes]
) -> None:
    """It is Glance that is named, not the engine, and the engine is as before."""

    def reset() -> None:
        raise ConnectionResetError("reset by peer")

    before = names(client)
    with pytest.raises(ImageFetchFailed, match="reset by peer"):
        ensure(engine, saved[1], reset)
    assert names(client) == before


# The SDK forgets to close a socket that it could not connect.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_an_engine_that_dies_in_the_middle_is_unavailable(
    running_engine: Callable[[], AbstractContextManager[EnginePaths]],
    saved: tuple[str, bytes],
) -> None:
    """The server's fault says that the engine went away."""
    with running_engine() as paths:
        process = int(paths.pidfile.read_text())

        def kill() -> None:
            os.kill(process, signal.SIGKILL)
            time.sleep(0.5)

        with pytest.raises(EngineUnavailable):
            ensure(Engine(Connection(paths.url)), saved[1], kill)


@pytest.mark.parametrize("directory", ["tmp", "overlay2"])
def test_a_full_disk_is_told_as_such(
    running_engine: Callable[[], AbstractContextManager[EnginePaths]],
    saved: tuple[str, bytes],
    directory: str,
) -> None:
    """Whether the archive or its layers find no room; what was there before still is."""
    with running_engine() as paths, contextlib.ExitStack() as undo:
        (place,) = paths.data.glob(f"**/[0-9]*.[0-9]*/{directory}")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], check=True)
        undo.callback(subprocess.run, ["umount", str(place)], check=True)
        (place / "l").mkdir()
        engine = Engine(Connection(paths.url))
        with pytest.raises(EngineOutOfSpace):
            ensure(engine, saved[1])
        assert engine.image_tags("") == []


def test_boots_at_once_load_once(
    engine: Engine, client: docker.DockerClient, saved: tuple[str, bytes]
) -> None:
    """Ten threads, one archive sent, one image."""
    downloads: list[None] = []
    images = Images(engine, Glance(saved[1], lambda: downloads.append(None)))
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(images.ensure(None, Meta()).id))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [saved[0]] * 10
    assert len(downloads) == 1


def test_an_unused_image_is_forgotten(
    engine: Engine, client: docker.DockerClient, saved: tuple[str, bytes]
) -> None:
    """Its age is the engine's own record; an image with a container stays."""
    before = names(client)
    ensure(engine, saved[1])
    images = Images(engine, Glance(b""))
    assert images.forget_unused({IMAGE}, 0) == []
    assert images.forget_unused(set(), 60) == []
    container = client.api.create_container(TAG, "/bin/sh")
    assert images.forget_unused(set(), 0) == []
    client.api.remove_container(container["Id"])
    assert images.forget_unused(set(), 0) == [TAG]
    assert names(client) == before
