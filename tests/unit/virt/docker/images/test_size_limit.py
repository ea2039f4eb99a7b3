# SPDX-License-Identifier: Apache-2.0
"""Bounds of what an image may unpack to, and whose fault a failed load is."""

import shutil
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nova.objects.image_meta import ImageMeta

from novadocker.archive import Platform
from novadocker.errors import EngineError, EngineOutOfSpace, ImageInvalid
from novadocker.virt.docker.engine import EngineInfo
from novadocker.virt.docker.images import Images, cache
from novadocker.virt.docker.images.progress import NoWaiter
from novadocker.virt.docker.images.size_limit import GIB, SizeLimit, size_limit
from tests.support.doubles.engine_double import DOCKER_29, INFO_29
from tests.unit.virt.docker.images.host import KIB, Site

LAYOUT = "Error processing tar file(exit status 1): "


class Waiter(NoWaiter):
    """A server whose flavor has a root disk."""

    def __init__(self, root_bytes: int) -> None:
        self.root_bytes = root_bytes


@pytest.fixture
def site(tmp_path: Path, saved_images: Any) -> Site:
    """A host, and an image of 401 KiB that it does not have."""
    return Site(tmp_path, saved_images)


def ensure(site: Site, images: Images, root_bytes: int = 0) -> Any:
    """Boot the image under a flavor with a root disk."""
    checksum = site.glance.images[site.first].checksum
    meta = ImageMeta.from_dict(
        {"id": site.first, "container_format": "docker", "checksum": checksum}
    )
    context = SimpleNamespace(user="alice", is_admin=False)
    return images.ensure(context, meta, Waiter(root_bytes))


def test_the_tightest_limit_counts() -> None:
    """Of flavor, operator and free disk the smallest is the limit, by its name."""
    assert size_limit(0, 0, None) is None
    assert size_limit(5, 7, None) == SizeLimit(5, "the root disk of the flavor")
    assert size_limit(9, 7, None) == SizeLimit(7, "[docker] max_image_size")
    free = size_limit(9 * GIB, 0, lambda: 3 * GIB)
    assert free is not None
    assert (free.bytes, free.of_host) == (GIB, True)
    assert size_limit(0, 0, lambda: 0) == SizeLimit(0, free.bound, of_host=True)


def test_an_image_larger_than_the_root_disk_is_refused(site: Site) -> None:
    """A small archive cannot fill the disk of a host beyond what its flavor has."""
    with pytest.raises(ImageInvalid, match="root disk of the flavor"):
        ensure(site, site.images, 300 * KIB)
    assert not site.has(site.first)
    assert ensure(site, site.images, 900 * KIB)


def test_an_image_that_is_here_must_fit_as_well(site: Site) -> None:
    """A flavor's root disk counts on a host that has the image as on one that has not."""
    image = ensure(site, site.images)
    (tag,) = site.engine.images
    site.engine.images[tag] = cache.Image(id=image.id, size=400 * KIB, layers=image.layers)
    with pytest.raises(ImageInvalid, match="the root disk of the flavor has 307200"):
        ensure(site, site.images, 300 * KIB)


def test_an_operator_s_bound_holds(site: Site) -> None:
    """max_image_size is a limit for every flavor, and named."""
    glance: Any = site.glance
    engine: Any = site.engine
    images = Images(engine, glance, Platform("amd64"), most_bytes=300 * KIB)
    with pytest.raises(ImageInvalid, match="max_image_size"):
        ensure(site, images)


def test_a_full_host_is_not_the_image_s_fault(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the free disk is the limit, Nova may try another host."""
    usage = shutil.disk_usage("/")._replace(free=GIB + 600 * KIB)
    monkeypatch.setattr(cache, "disk", lambda info: usage)
    site.images.adapt(EngineInfo.parse(DOCKER_29, INFO_29))
    with pytest.raises(EngineOutOfSpace, match="half of the host"):
        ensure(site, site.images)


def test_another_server_s_small_flavor_does_not_count(site: Site) -> None:
    """Who waited for a load that was too large for another's flavor has it begun anew."""
    entered, go = threading.Event(), threading.Event()
    read = site.glance.download

    def slow(context: Any, image: str) -> Any:
        entered.set()
        assert go.wait(10)
        yield from read(context, image)

    site.glance.download = slow  # type: ignore[method-assign]
    glance: Any = site.glance
    engine: Any = site.engine
    images = Images(engine, glance, Platform("amd64"))
    faults: list[Exception] = []

    def small() -> None:
        try:
            ensure(site, images, 300 * KIB)
        except ImageInvalid as fault:
            faults.append(fault)

    thread = threading.Thread(target=small)
    thread.start()
    assert entered.wait(10)
    found: list[Any] = []
    other = threading.Thread(target=lambda: found.append(ensure(site, images, 900 * KIB)))
    other.start()
    with images._loading._lock:  # a flight is noted in it, after its thread has begun
        (task,) = images._loading._running.values()
    while task.waiting < 2:
        other.join(0.01)
    go.set()
    thread.join(10)
    other.join(10)
    assert len(faults) == 1
    assert found


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        (LAYOUT + 'failed to mknod("/test/test", S_IFCHR, 0): not a directory', ImageInvalid),
        (LAYOUT + "Container ID 834600147 cannot be mapped to a host ID", ImageInvalid),
        (LAYOUT + "write /a: input/output error", EngineError),
        (LAYOUT + "unexpected EOF", EngineError),
        ("layer does not exist", EngineError),
    ],
)
def test_what_no_engine_lays_out_is_read_once(
    site: Site, reason: str, fault: type[Exception]
) -> None:
    """An image's fault that shows in the engine ends the request; a host's is tried elsewhere."""

    def fail() -> None:
        raise EngineError(action="load an image", reason=reason)

    site.engine.before_load = fail
    with pytest.raises(fault) as raised:
        ensure(site, site.images)
    assert isinstance(raised.value, ImageInvalid) == (fault is ImageInvalid)
    assert len(site.glance.downloads) == (0 if fault is ImageInvalid else 1)
