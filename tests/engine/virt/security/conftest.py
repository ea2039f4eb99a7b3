# SPDX-License-Identifier: Apache-2.0
"""Servers that mean harm, and what they must not be able to touch."""

import io
import os
import re
import subprocess
import tarfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.virt.docker.engine import Engine, Image
from novadocker.virt.docker.injection.files import Entry, directory
from tests.engine.virt.conftest import PASSWD, Servers, rootfs, saved

FLAGS = ("-static", "-Os", "-s", "-Wall", "-Wextra", "-Werror", "-std=gnu11")

MakeWith = Callable[..., Image]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Entry, ...]:
    """What tries to get out, also as a setuid program of root's, and what takes all it can get."""
    made, compiled = tmp_path_factory.mktemp("programs"), {}
    for name in ("attempts", "hogs"):
        source = Path(__file__).with_name(f"{name}.c")
        subprocess.run(["cc", *FLAGS, "-o", made / name, source], check=True)
        compiled[name] = (made / name).read_bytes()
    return (
        directory("tmp", 0o1777),
        Entry("bin/attempts", content=compiled["attempts"], mode=0o755),
        Entry("bin/setuid", content=compiled["attempts"], mode=0o4755),
        Entry("bin/hogs", content=compiled["hogs"], mode=0o755),
    )


@dataclass(frozen=True)
class Device(Entry):
    """A device.

    Attributes:
        number: as stat(2) has it.
    """

    number: int = 0


def layer(*entries: Entry) -> bytes:
    """Return the tar of a small root directory with further entries, its passwd among them."""
    own = any(entry.path == "etc/passwd" for entry in entries)
    written = io.BytesIO(rootfs(None if own else PASSWD))
    with tarfile.open(fileobj=written, mode="a") as tar:
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            member.type, member.linkname = entry.kind, entry.target
            member.mode, member.uid, member.gid = entry.mode, entry.uid, entry.gid
            if isinstance(entry, Device):
                member.devmajor, member.devminor = os.major(entry.number), os.minor(entry.number)
            member.size = len(entry.content)
            tar.addfile(member, io.BytesIO(entry.content))
    return written.getvalue()


@pytest.fixture(scope="session")
def image_with(engine: Engine) -> MakeWith:
    """How to make an image with further files, directories and links."""

    def make(*entries: Entry, **config: Any) -> Image:
        tag = f"hostile:{uuid.uuid4().hex}"
        config = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]} | config
        engine.load_image([saved(layer(*entries), config, tag)])
        image = engine.find_image(tag)
        assert image
        return image

    return make


@pytest.fixture(scope="session")
def hostile(image_with: MakeWith, programs: tuple[Entry, ...]) -> Image:
    """An image with those programs."""
    return image_with(*programs)


@pytest.fixture
def neighbour(servers: Servers) -> Servers:
    """Another tenant's server on the same host, which counts."""
    other = replace(servers, asked=replace(servers.asked, uuid=str(uuid.uuid4()), project="p2"))
    other.boot("i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.1; done")
    return other


def is_well(neighbour: Servers) -> bool:
    """Return whether a server that counts goes on doing so, twice within five seconds."""
    seen, until = _ticks(neighbour), time.monotonic() + 5
    while (now := _ticks(neighbour)) < seen + 2 and time.monotonic() < until:
        time.sleep(0.02)
    return now >= seen + 2


def _ticks(neighbour: Servers) -> int:
    words = neighbour.guest.console()[-200:].decode().split("\r\n")
    return int(next(word for word in reversed(words) if re.fullmatch(r"tick \d+", word))[5:])
