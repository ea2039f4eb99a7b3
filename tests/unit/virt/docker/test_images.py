# SPDX-License-Identifier: Apache-2.0
"""What Images decides; what a real engine does with it is in tests/engine."""

import hashlib
import io
import json
import tarfile
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from nova.objects.image_meta import ImageMeta

from novadocker.archive import Platform
from novadocker.errors import (
    EngineError,
    EngineUnavailable,
    ImageFetchFailed,
    ImageFormatRefused,
    ImageInvalid,
)
from novadocker.virt.docker.engine import Image
from novadocker.virt.docker.images import Images

IMAGE = "5f0c1f3e-7b0d-4f8e-9d27-0d6f6b1f9a10"
MD5 = "0123456789abcdef0123456789abcdef"
TAG = f"nova/{IMAGE}:{MD5}"


class FakeEngine:
    """Keeps names and ids of what is loaded; reads the archive as the engine does."""

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}
        self.loads = 0
        self.fault: Exception | None = None
        self.in_use: set[str] = set()
        self.made_from: list[str] = []

    def find_image(self, tag: str) -> Image | None:
        """Look a name up."""
        return self.images.get(tag)

    def load_image(self, chunks: Iterable[bytes]) -> None:
        """Take an archive, at its word."""
        self.loads += 1
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            (manifest,) = json.load(tar.extractfile("manifest.json"))
            config = tar.extractfile(manifest["Config"]).read()
        for tag in manifest["RepoTags"]:
            self.images[tag] = Image(id=f"sha256:{hashlib.sha256(config).hexdigest()}")
        if self.fault:
            raise self.fault

    def remove_image(self, tag: str) -> None:
        """Forget a name, unless a container uses it."""
        if tag in self.in_use:
            raise EngineError(action="remove an image", reason="a container uses it")
        self.images.pop(tag, None)

    def image_tags(self, prefix: str) -> list[str]:
        """List names."""
        return sorted(tag for tag in self.images if tag.startswith(prefix))

    def labels_by_name(self, label: str) -> dict[str, dict[str, str]]:
        """List containers by their images."""
        return {f"nova-{n}": {label: image} for n, image in enumerate(self.made_from)}


class FakeGlance:
    """Serves one image, in pieces, and counts how often."""

    def __init__(self, data: bytes, **record: Any) -> None:
        self.data = data
        self.record = record
        self.downloads = 0
        self.go = threading.Event()
        self.go.set()

    def get(self, context: Any, image_id: str) -> dict[str, Any]:
        """Return what Glance records of the image."""
        return self.record

    def download(self, context: Any, image_id: str) -> Iterator[bytes]:
        """Give the image's bytes."""
        self.downloads += 1
        assert self.go.wait(10)
        for at in range(0, len(self.data), 1000):
            yield self.data[at : at + 1000]


@pytest.fixture
def engine() -> FakeEngine:
    """Return an engine without images."""
    return FakeEngine()


@pytest.fixture
def glance(saved_images: Any) -> FakeGlance:
    """Return a Glance that has a sound image."""
    return FakeGlance(saved_images.old_style(saved_images.layer()).tar())


@pytest.fixture
def images(engine: FakeEngine, glance: FakeGlance) -> Images:
    """Return what is tested."""
    return Images(engine, glance, Platform("amd64"))


def meta(**changes: Any) -> ImageMeta:
    """Return Nova's account of the image."""
    return ImageMeta.from_dict(
        {"id": IMAGE, "container_format": "docker", "checksum": MD5} | changes
    )


def test_an_image_is_fetched_once(images: Images, engine: FakeEngine, glance: FakeGlance) -> None:
    """The second boot of an image costs Glance nothing."""
    first = images.ensure(None, meta())
    assert images.ensure(None, meta()) == first
    assert engine.images == {TAG: first}
    assert glance.downloads == 1


def test_twenty_boots_at_once_cause_one_fetch(
    images: Images, engine: FakeEngine, glance: FakeGlance
) -> None:
    """All get the image that one of them loads."""
    glance.go.clear()
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(images.ensure, None, meta()) for _ in range(20)]
        time.sleep(0.2)
        glance.go.set()
        assert {answer.result().id for answer in answers} == {engine.images[TAG].id}
    assert glance.downloads == engine.loads == 1


@pytest.mark.parametrize("container_format", ["bare", "ovf", "", None])
def test_other_container_formats_are_refused(
    images: Images, glance: FakeGlance, container_format: str | None
) -> None:
    """A disk image is refused before a byte of it is fetched."""
    with pytest.raises(ImageFormatRefused, match="--container-format docker"):
        images.ensure(None, meta(container_format=container_format))
    assert glance.downloads == 0


def test_an_unknown_container_format_is_refused(images: Images) -> None:
    """Nova does not always say it; then it is not docker."""
    with pytest.raises(ImageFormatRefused):
        images.ensure(None, ImageMeta.from_dict({"id": IMAGE}))


@pytest.mark.parametrize(
    ("record", "digits"),
    [
        ({"checksum": MD5, "os_hash_value": "f" * 128}, MD5),
        ({"checksum": None, "os_hash_value": "f" * 128}, "f" * 32),
    ],
)
def test_a_hash_that_nova_does_not_know_is_asked_of_glance(
    images: Images, engine: FakeEngine, glance: FakeGlance, record: dict[str, str], digits: str
) -> None:
    """Where both are recorded the name is the same as if Nova had known."""
    glance.record = record
    images.ensure(None, meta(checksum=None))
    assert list(engine.images) == [f"nova/{IMAGE}:{digits}"]


def test_an_image_without_any_hash_is_refused(images: Images) -> None:
    """Nothing could tell its bytes from others under the same id."""
    with pytest.raises(ImageFetchFailed, match="records no hash"):
        images.ensure(None, meta(checksum=None))


def test_other_bytes_are_another_image(
    images: Images, engine: FakeEngine, glance: FakeGlance, saved_images: Any
) -> None:
    """A changed hash under the same id leads to a fetch, not to the old image."""
    old = images.ensure(None, meta())
    glance.data = saved_images.old_style(saved_images.layer(b"changed")).tar()
    assert images.ensure(None, meta(checksum="f" * 32)) != old
    assert len(engine.images) == 2


@pytest.mark.parametrize(
    "fault", [ConnectionError("reset by peer"), EOFError(), RuntimeError("401 Unauthorized")]
)
def test_glance_breaking_off_is_told_as_such(
    images: Images, engine: FakeEngine, glance: FakeGlance, fault: Exception
) -> None:
    """Whatever its client raises, the server's fault names Glance and the reason."""

    def breaking(context: Any, image_id: str) -> Iterator[bytes]:
        yield glance.data[:3000]
        raise fault

    glance.download = breaking
    with pytest.raises(ImageFetchFailed, match=str(fault) or "EOFError"):
        images.ensure(None, meta())
    assert not engine.images


def test_a_failure_is_not_remembered(images: Images, glance: FakeGlance) -> None:
    """The next boot tries again."""
    sound, glance.data = glance.data, glance.data[:-600]
    with pytest.raises(ImageInvalid):
        images.ensure(None, meta())
    glance.data = sound
    assert images.ensure(None, meta())


@pytest.mark.parametrize(
    "fault", [EngineError(action="load", reason="x"), EngineUnavailable(url="u", reason="x")]
)
def test_a_failed_load_leaves_no_name(images: Images, engine: FakeEngine, fault: Exception) -> None:
    """Even where the engine had got as far as naming it."""
    engine.fault = fault
    with pytest.raises(type(fault)):
        images.ensure(None, meta())
    assert not engine.images


def test_an_image_that_the_engine_made_otherwise_is_refused(
    images: Images, engine: FakeEngine
) -> None:
    """What was verified and what is there must be one."""
    load = engine.load_image

    def altering(chunks: Iterable[bytes]) -> None:
        load(chunks)
        engine.images[TAG] = Image(id="sha256:other")

    engine.load_image = altering
    with pytest.raises(ImageInvalid, match="the engine made sha256:other of it"):
        images.ensure(None, meta())
    assert not engine.images


def test_only_unused_old_images_of_ours_are_forgotten(images: Images, engine: FakeEngine) -> None:
    """In use, too young, in use by a container, or not ours: all these stay."""
    old = datetime.fromtimestamp(time.time() - 100, UTC).isoformat()
    young = datetime.fromtimestamp(time.time() - 10, UTC).isoformat()
    unknown = "0001-01-01T00:00:00Z"
    engine.images = {
        "nova/used:1": Image(id="1", last_tagged=old),
        "nova/old:2": Image(id="2", last_tagged=old),
        "nova/young:3": Image(id="3", last_tagged=young),
        "nova/unknown:4": Image(id="4", last_tagged=unknown),
        "nova/held:5": Image(id="5", last_tagged=old),
        "debian:12": Image(id="6", last_tagged=old),
    }
    engine.in_use = {"nova/held:5"}
    assert images.forget_unused({"used"}, min_age=50) == ["nova/old:2"]
    assert "nova/old:2" not in engine.images
    assert len(engine.images) == 5
    assert images.forget_unused(set(), min_age=0) == [
        "nova/unknown:4",
        "nova/used:1",
        "nova/young:3",
    ]


def test_the_image_of_a_container_is_in_use(images: Images, engine: FakeEngine) -> None:
    """Of any container: that of a rescued server has an image that Nova does not name."""
    old = datetime.fromtimestamp(time.time() - 100, UTC).isoformat()
    engine.images = {"nova/rescue:1": Image(id="1", last_tagged=old)}
    engine.made_from = ["rescue"]
    assert images.forget_unused(set(), min_age=0) == []


def test_age_counts_from_the_last_round_that_saw_a_use(images: Images, engine: FakeEngine) -> None:
    """Not from the boot, which may be long ago, of a server that was deleted just now."""
    old = datetime.fromtimestamp(time.time() - 100, UTC).isoformat()
    engine.images = {"nova/used:1": Image(id="1", last_tagged=old)}
    assert images.forget_unused({"used"}, min_age=50) == []
    assert images.forget_unused(set(), min_age=50) == []
    assert images.forget_unused(set(), min_age=0) == ["nova/used:1"]


def test_an_image_is_cached_before_its_first_boot(
    images: Images, engine: FakeEngine, glance: FakeGlance
) -> None:
    """Fetched once; what is no container image is refused as at a boot."""
    assert images.cache(None, meta()) is True
    assert images.cache(None, meta()) is False
    assert images.ensure(None, meta()) == engine.images[TAG]
    assert glance.downloads == 1
    with pytest.raises(ImageFormatRefused):
        images.cache(None, meta(container_format="bare"))


def test_a_boot_keeps_an_old_image(images: Images, engine: FakeEngine) -> None:
    """Age counts from the last use, not from the load."""
    old = datetime.fromtimestamp(time.time() - 100, UTC).isoformat()
    engine.images = {TAG: Image(id="1", last_tagged=old)}
    images.ensure(None, meta())
    assert images.forget_unused(set(), min_age=50) == []
