# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from novadocker.archive import Platform
from novadocker.archive.image.index import Index
from novadocker.client.archives import Archive, FileArchive, StreamArchive
from novadocker.client.errors import BytesDiffer, OriginUnreadable
from novadocker.client.importing import Importer, Wanted
from novadocker.client.origin import SavedFile, StandardInput
from novadocker.client.progress import Progress
from novadocker.errors import ImageInvalid
from tests.unit.client.conftest import FakeGlance

AMD64 = Platform("amd64")


@pytest.fixture(params=["file", "stream"])
def kind(request: pytest.FixtureRequest) -> str:
    """Read twice, or once."""
    return str(request.param)


def archive(kind: str, data: bytes, directory: Path) -> Archive:
    """Return an archive of either kind."""
    if kind == "stream":
        cut = (data[at : at + 1000] for at in range(0, len(data), 1000))
        return StreamArchive(cut, StandardInput())
    path = directory / "web.tar"
    path.write_bytes(data)
    return FileArchive(path, SavedFile(str(path)), len(data))


@pytest.fixture
def data(saved_images: Any) -> bytes:
    """A sound archive."""
    layer = saved_images.Archive({"etc/os-release": b"ID=debian\nVERSION_ID=12"}).tar()
    return saved_images.old_style(layer).tar()


def test_an_image_has_its_bytes_and_all_that_nova_must_know(
    glance: FakeGlance, silent: Progress, tmp_path: Path, data: bytes, kind: str
) -> None:
    """Whether the archive could be read before or only while it was uploaded."""
    wanted = Wanted("web", AMD64, {"min_ram": 64}, {"mine": "1"}, protected=True)
    image, examined = Importer(glance, silent).run(archive(kind, data, tmp_path), wanted)
    (stored,) = glance.images.values()
    assert stored.data == data
    assert stored.attributes == {
        "name": "web",
        "container_format": "docker",
        "disk_format": "raw",
        "hypervisor_type": "docker",
        "os_type": "linux",
        "os_distro": "debian",
        "os_version": "12",
        "architecture": "x86_64",
        "min_disk": 1,
        "min_ram": 64,
        "mine": "1",
        "docker_index": examined.index.text() if examined.index else "",
        "is_protected": True,
    }
    assert Index.parse(image.properties["docker_index"]).size == len(data)


def test_what_a_user_says_is_not_replaced_by_what_is_found(
    glance: FakeGlance, silent: Progress, tmp_path: Path, data: bytes, kind: str
) -> None:
    """The archive may be wrong about itself."""
    wanted = Wanted("web", AMD64, {"min_disk": 7}, {"os_distro": "mine", "os_type": "linux"})
    Importer(glance, silent).run(archive(kind, data, tmp_path), wanted)
    (stored,) = glance.images.values()
    assert stored.attributes["min_disk"] == 7
    assert stored.attributes["os_distro"] == "mine"
    assert stored.attributes["os_version"] == "12"


@pytest.mark.parametrize("spoil", [lambda data: data[:3000], lambda data: b"x" * 2000])
def test_an_unsound_archive_leaves_no_image(
    glance: FakeGlance, silent: Progress, tmp_path: Path, data: bytes, kind: str, spoil: Any
) -> None:
    """Not even an empty one."""
    with pytest.raises(ImageInvalid):
        Importer(glance, silent).run(archive(kind, spoil(data), tmp_path), Wanted("web", AMD64))
    assert glance.images == {}


def test_an_unsound_file_is_never_uploaded(silent: Progress, tmp_path: Path, data: bytes) -> None:
    """It is read to its end before Glance hears of it."""
    with pytest.raises(ImageInvalid):
        Importer(None, silent).run(archive("file", data[:3000], tmp_path), Wanted("web", AMD64))


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-1] + b"x"])
def test_bytes_that_did_not_arrive_leave_no_image(
    glance: FakeGlance, silent: Progress, tmp_path: Path, data: bytes, kind: str, damage: Any
) -> None:
    """Glance's own size and digest are held against what was sent."""
    glance.damage = damage
    with pytest.raises(BytesDiffer):
        Importer(glance, silent).run(archive(kind, data, tmp_path), Wanted("web", AMD64))
    assert glance.images == {}


def test_a_file_that_is_changed_meanwhile_leaves_no_image(
    glance: FakeGlance, tmp_path: Path, data: bytes
) -> None:
    """What was checked is what must be uploaded."""
    made = archive("file", data, tmp_path)

    class Changing(Progress):
        def of(self, chunks: Any, what: str, size: int | None = None) -> Iterator[bytes]:
            yield from chunks
            (tmp_path / "web.tar").write_bytes(data[:-1] + b"x")

    with pytest.raises(BytesDiffer):
        Importer(glance, Changing(wanted=False)).run(made, Wanted("web", AMD64))
    assert glance.images == {}


def test_a_file_that_vanishes_meanwhile_leaves_no_image(
    glance: FakeGlance, tmp_path: Path, data: bytes
) -> None:
    """It is said which."""
    made = archive("file", data, tmp_path)

    class Removing(Progress):
        def of(self, chunks: Any, what: str, size: int | None = None) -> Iterator[bytes]:
            yield from chunks
            (tmp_path / "web.tar").unlink(missing_ok=True)

    with pytest.raises(OriginUnreadable, match=r"web\.tar cannot be read: No such file"):
        Importer(glance, Removing(wanted=False)).run(made, Wanted("web", AMD64))
    assert glance.images == {}


def test_a_wrong_architecture_is_refused(
    glance: FakeGlance, silent: Progress, tmp_path: Path, data: bytes, kind: str
) -> None:
    """An image of another architecture than wanted never comes to be."""
    with pytest.raises(ImageInvalid, match="amd64"):
        Importer(glance, silent).run(
            archive(kind, data, tmp_path), Wanted("web", Platform("arm64"))
        )
    assert glance.images == {}


def test_another_digest_than_ours_leaves_the_size_to_be_compared(
    glance: FakeGlance, silent: Progress, tmp_path: Path, data: bytes, kind: str
) -> None:
    """An operator may have Glance take another one."""
    glance.algorithm = "sha256"
    Importer(glance, silent).run(archive(kind, data, tmp_path), Wanted("web", AMD64))
    assert len(glance.images) == 1


def zstd_layer(saved_images: Any) -> bytes:
    """Return an archive with a layer in zstd that does not say how long it is."""
    plain = saved_images.Archive({"etc/os-release": b"ID=debian"}).tar()
    stream = zstandard.ZstdCompressor().compressobj()
    packed = stream.compress(plain) + stream.flush()
    config = saved_images.config([saved_images.sha256(plain)])
    return saved_images.oci(packed, config=config).tar()


def test_a_file_that_must_be_read_twice_is(
    glance: FakeGlance, silent: Progress, tmp_path: Path, saved_images: Any
) -> None:
    """As layers in zstd want it; Glance gets the file as it is."""
    data = zstd_layer(saved_images)
    importer = Importer(glance, silent)
    _, examined = importer.run(archive("file", data, tmp_path), Wanted("web", AMD64))
    (stored,) = glance.images.values()
    assert (stored.data, stored.attributes["os_distro"]) == (data, "debian")
    assert examined.size == len(data)


def test_a_stream_that_must_be_read_twice_is_refused(
    glance: FakeGlance, silent: Progress, tmp_path: Path, saved_images: Any
) -> None:
    """With what would help."""
    stream = archive("stream", zstd_layer(saved_images), tmp_path)
    with pytest.raises(OriginUnreadable, match="save it to a file"):
        Importer(glance, silent).run(stream, Wanted("web", AMD64))
    assert glance.images == {}
