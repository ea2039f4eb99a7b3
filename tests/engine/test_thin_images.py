# SPDX-License-Identifier: Apache-2.0
"""Images on a real engine that are sent in part: what it has, what it lacks, what it loses."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nova.objects.image_meta import ImageMeta

from novadocker.errors import ImageInvalid
from novadocker.virt.docker.engine import Connection, Engine
from novadocker.virt.docker.images import Images, PartialLoading, Provenance, plan
from tests.support.doubles.glance_double import ALICE, BOB, Glance
from tests.support.layered import (
    Saved,
    junk,
    shell,
    tar,
)

MB = 1_000_000


class Host:
    """An engine, and Glance with a private image of Alice's that the engine has."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self.engine = engine
        self.glance = Glance()
        glance: Any = self.glance
        self.images = Images(engine, glance, parts=PartialLoading(glance, Provenance(directory)))
        self.base = [shell(), tar({"srv/secret": os.urandom(2 * MB)})]
        self.first = self.glance.add(Saved(self.base).archive())
        self.ensure(self.first)

    def ensure(self, image: str, user: str = ALICE) -> Any:
        """Boot an image, as far as images go."""
        stored = self.glance.images[image]
        meta = ImageMeta.from_dict(
            {"id": image, "container_format": "docker", "checksum": stored.checksum}
        )
        return self.images.ensure(SimpleNamespace(user=user, is_admin=False), meta)

    def forget(self, image: str) -> None:
        """Take an image out of the engine."""
        for tag in self.engine.image_tags("nova"):
            if image in tag:
                self.engine.remove_image(tag)


@pytest.fixture
def host(engine_socket: Path, tmp_path: Path) -> Iterator[Host]:
    """The host; its images are taken away again."""
    engine = Engine(Connection(f"unix://{engine_socket}", timeout=60))
    with closing(engine._api):
        made = Host(engine, tmp_path)
        yield made
        for tag in engine.image_tags("nova"):
            engine.remove_image(tag)


def test_the_engine_takes_what_it_lacks_and_keeps_what_it_has(host: Host) -> None:
    """All layers are in the image, and the new one alone was moved."""
    new = tar({"srv/new": os.urandom(MB // 2)})
    second = host.glance.add(Saved([*host.base, new]).archive())
    image = host.ensure(second)
    assert len(image.layers) == 3
    assert host.glance.read_of(second) < MB


@pytest.mark.parametrize("bytes_instead", [None, junk(2 * MB)])
def test_the_engine_makes_no_image_of_a_layer_that_is_only_named(
    host: Host, bytes_instead: bytes | None
) -> None:
    """Not of what it has, and not of what came instead."""
    saved = Saved([*host.base, tar({"srv/his": b"his"})], instead={1: bytes_instead})
    before = host.engine.image_ids()
    with pytest.raises(ImageInvalid):
        host.ensure(host.glance.add(saved.archive(), BOB), BOB)
    assert host.engine.image_ids() == before


def test_a_layer_that_the_engine_loses_meanwhile_is_sent_after_all(host: Host) -> None:
    """Its own refusal tells, and the image is loaded as a whole, once."""
    second = host.glance.add(Saved([*host.base, tar({"srv/new": b"new"})]).archive())
    real = host.engine.load_image
    loads: list[int] = []

    def load(chunks: Any) -> None:
        data = b"".join(chunks)
        loads.append(len(data))
        host.forget(host.first)
        real([data])

    host.engine.load_image = load  # type: ignore[method-assign]
    assert len(host.ensure(second).layers) == 3
    assert len(loads) == 2
    assert loads[0] < MB < loads[1]


def test_a_large_lowest_layer_is_unpacked_as_it_comes(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine has it under the digest that the image gives it, and nothing else of it stays."""
    monkeypatch.setattr(plan, "_LARGE", MB)
    layers = [tar({"srv/large": os.urandom(3 * MB)}), tar({"srv/top": b"top"})]
    image = host.ensure(host.glance.add(Saved(layers).archive()))
    assert len(image.layers) == 2
    assert host.engine.image_tags("nova-loading/") == []


@pytest.mark.parametrize("spoilt", [0, 1])
def test_of_a_load_that_is_refused_nothing_stays(
    host: Host, monkeypatch: pytest.MonkeyPatch, spoilt: int
) -> None:
    """Whether it was the lowest layer, which goes ahead, or one that followed."""
    monkeypatch.setattr(plan, "_LARGE", MB)
    layers = [tar({"srv/large": os.urandom(3 * MB)}), tar({"srv/top": os.urandom(MB)})]
    saved = Saved(layers, instead={spoilt: junk(len(layers[spoilt]))})
    before = host.engine.image_ids()
    with pytest.raises(ImageInvalid, match="digest"):
        host.ensure(host.glance.add(saved.archive()))
    assert host.engine.image_ids() == before
