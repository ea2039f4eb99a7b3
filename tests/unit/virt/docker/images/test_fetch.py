# SPDX-License-Identifier: Apache-2.0
"""What is read of an image, what is sent, and what only he may leave unread who could read it."""

import dataclasses
import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nova.objects.image_meta import ImageMeta

from novadocker.errors import ImageFetchFailed, ImageInvalid
from novadocker.virt.docker.engine import EngineInfo, Image
from novadocker.virt.docker.images import plan
from tests.support.doubles.engine_double import DOCKER_29, INFO_29
from tests.support.doubles.glance_double import ADMIN, ALICE, BOB
from tests.unit.archive.reading import checked
from tests.unit.virt.docker.images.host import KIB, Site


@pytest.fixture
def site(tmp_path: Path, saved_images: Any) -> Site:
    """A host that has loaded Alice's first image."""
    made = Site(tmp_path, saved_images)
    made.ensure(made.first)
    assert made.engine.sent == [["0.tar", "1.tar"]]
    return made


def test_only_what_is_new_is_read_and_sent(site: Site) -> None:
    """The base stays where it is, in Glance and here."""
    second = site.second()
    site.ensure(second)
    assert site.engine.sent[-1] == ["0.tar"]
    assert site.glance.read_of(second) < 100 * KIB
    assert site.glance.downloads == []


def test_who_cannot_read_its_origin_has_a_layer_read(site: Site) -> None:
    """It is checked, and not sent."""
    second = site.second(owner=BOB)
    site.ensure(second, BOB)
    assert site.engine.sent[-1] == ["0.tar"]
    assert site.glance.read_of(second) > len(site.base)


@pytest.mark.parametrize("index", [False, True])
def test_who_only_names_a_layer_does_not_get_it(site: Site, index: bool) -> None:
    """Junk of the right length is found out, and so is an index that says that it is no junk."""
    honest = site.second()
    second = site.second(base=site.make.layer(b"j" * 400 * KIB), owner=BOB)
    if index:
        archive = checked(site.glance.images[honest].data)
        b"".join(archive)
        site.glance.images[second].properties["docker_index"] = archive.index.text()
    with pytest.raises(ImageInvalid, match="digest"):
        site.ensure(second, BOB)
    assert not site.has(second)


def test_a_layer_that_is_not_even_there_is_not_given(site: Site) -> None:
    """A manifest can name what the archive lacks."""
    top = site.make.layer(b"2")
    archive = site.make.old_style(site.base, top)
    (name,) = [name for name, content in archive.members.items() if content == site.base]
    del archive.members[name]
    second = site.glance.add(archive.tar(), BOB)
    with pytest.raises(ImageInvalid, match="missing"):
        site.ensure(second, BOB)
    assert not site.has(second)


def test_to_be_shown_an_image_is_not_to_have_its_bytes(site: Site) -> None:
    """Policy may allow the one and not the other."""
    site.glance.images[site.first].seers.add(BOB)
    second = site.second(owner=BOB)
    site.ensure(second, BOB)
    assert site.glance.read_of(second) > len(site.base)


def test_an_image_that_is_shared_vouches_for_its_layers(site: Site) -> None:
    """As soon as Glance gives its bytes, and no longer."""
    site.glance.images[site.first].readers.add(BOB)
    second = site.second(owner=BOB)
    site.ensure(second, BOB)
    assert site.glance.read_of(second) < 100 * KIB
    site.glance.images[site.first].readers.remove(BOB)
    third = site.second(owner=BOB)
    site.ensure(third, BOB)
    # The second was never read whole, and vouches only for what was read of it.
    assert site.glance.read_of(third) > len(site.base)


def test_an_image_with_other_bytes_than_were_read_vouches_for_nothing(site: Site) -> None:
    """Its id is the same, and its hash tells."""
    site.glance.images[site.first].data += bytes(512)
    second = site.second()
    site.ensure(second)
    assert site.glance.read_of(second) > len(site.base)


@pytest.mark.parametrize(
    ("owner", "public", "is_read"), [(ALICE, False, False), (BOB, False, True), (BOB, True, False)]
)
def test_an_administrator_vouches_for_nobody(
    site: Site, owner: str, public: bool, is_read: bool
) -> None:
    """His token reads every image; what counts is what the owner of the new one could read."""
    site.glance.images[site.first].public = public
    second = site.second(owner=owner)
    site.ensure(second, ADMIN)
    assert (site.glance.read_of(second) > len(site.base)) is is_read


def test_what_an_earlier_version_has_loaded_vouches_for_nothing(site: Site) -> None:
    """It noted nothing. Its layers are read once more, and not sent."""
    for note in site.directory.iterdir():
        note.unlink()
    second = site.second()
    site.ensure(second)
    assert site.engine.sent[-1] == ["0.tar"]
    assert site.glance.read_of(second) > len(site.base)


def test_it_is_known_after_a_restart(site: Site) -> None:
    """What this host found is written down."""
    second = site.second()
    site.ensure(second, images=site.restarted())
    assert site.glance.read_of(second) < 100 * KIB


def test_an_index_of_another_config_is_held_against_glances_hash(site: Site) -> None:
    """Then all of the image is read, by the client that compares the hash."""
    second = site.second()
    archive = checked(site.glance.images[site.first].data)
    b"".join(archive)
    site.glance.images[second].properties["docker_index"] = archive.index.text()
    site.ensure(second)
    assert site.glance.downloads == [second]


def test_a_config_without_a_digest_in_its_name_is_held_against_glances_hash(site: Site) -> None:
    """With an index, which has its digest, it need not be."""
    archive = site.make.old_style(site.base, site.make.layer(b"3"))
    (name,) = [name for name in archive.members if name.endswith(".json") and len(name) == 69]
    config = archive.members[name]
    archive.members = {
        "config.json" if each == name else each: content
        for each, content in archive.members.items()
    }
    manifest = json.loads(archive.members["manifest.json"])
    manifest[0]["Config"] = "config.json"
    archive.members["manifest.json"] = json.dumps(manifest).encode()
    plain = site.glance.add(archive.tar())
    site.ensure(plain)
    assert site.glance.downloads == [plain]
    assert config
    read = checked(archive.tar())
    b"".join(read)
    indexed = site.glance.add(
        archive.tar() + bytes(512),
        properties={
            "docker_index": dataclasses.replace(read.index, size=len(archive.tar()) + 512).text()
        },
    )
    site.ensure(indexed)
    assert site.glance.downloads == [plain]


def test_a_layer_that_goes_meanwhile_costs_one_whole_load(site: Site) -> None:
    """The engine says so, and makes no image of what it got."""
    second = site.second()
    gone = [site.engine.images.clear]

    def before_load() -> None:
        if gone:
            gone.pop()()

    site.engine.before_load = before_load
    site.ensure(second)
    assert site.has(second)
    assert site.glance.downloads == [second]
    assert site.engine.sent[-1] == ["0.tar", "1.tar"]


def test_a_store_without_ranges_is_read_as_a_whole(site: Site) -> None:
    """Never a failure."""
    site.glance.serves_ranges = False
    second = site.second()
    site.ensure(second)
    assert site.glance.downloads == [second]


def test_signatures_are_of_the_whole(site: Site) -> None:
    """Nova's client checks them, where the operator wants it."""
    site.glance.permits_parts = False
    second = site.second()
    site.ensure(second)
    assert site.glance.downloads == [second]
    assert site.glance.read_of(second) == 0


def told(*, containerd_store: bool) -> EngineInfo:
    """Return an engine's account of itself."""
    kept = [["driver-type", "io.containerd.snapshotter.v1"]] if containerd_store else []
    return EngineInfo.parse(DOCKER_29, INFO_29 | {"DriverStatus": kept})


def test_containerd_is_given_the_whole(site: Site) -> None:
    """It names an image by its manifest, so the layers tell whether it is the one."""
    site.engine.by_manifest = True
    site.images.adapt(told(containerd_store=True))
    second = site.second()
    site.ensure(second)
    assert site.engine.sent[-1] == ["0.tar", "1.tar"]
    assert site.glance.downloads == [second]


def test_an_archive_in_gzip_is_read_as_a_whole(site: Site) -> None:
    """There is no way to its end but through it."""
    second = site.glance.add(gzip.compress(site.archive(site.base, site.make.layer(b"4"))))
    site.ensure(second)
    assert site.glance.downloads == [second]


def test_glance_that_breaks_off_is_told(site: Site) -> None:
    """The plan is no less a part of the load than the bytes."""
    second = site.second()
    site.glance.images[second].readers.discard(ALICE)
    site.glance.images[second].seers.add(ALICE)
    with pytest.raises(ImageFetchFailed, match=second):
        site.ensure(second)


def test_a_large_lowest_layer_is_laid_first(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpacked as it comes; what it was laid under is gone afterwards."""
    monkeypatch.setattr(plan, "_LARGE", 300 * KIB)
    image = site.glance.add(site.archive(site.make.layer(b"c" * 400 * KIB), site.make.layer(b"5")))
    site.ensure(image)
    assert len(site.engine.laid) == 1
    assert site.engine.sent[-1] == ["0.tar"]
    assert site.engine.image_tags("nova-loading/") == []
    assert site.has(image)


def test_of_a_load_that_fails_nothing_laid_is_left(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the image nor its lowest layer."""
    monkeypatch.setattr(plan, "_LARGE", 300 * KIB)
    layers = site.make.layer(b"c" * 400 * KIB), site.make.layer(b"5")
    archive = site.make.old_style(*layers)
    (name,) = [name for name, content in archive.members.items() if content == layers[1]]
    archive.members[name] = site.make.layer(b"6")
    image = site.glance.add(archive.tar())
    before = dict(site.engine.images)
    with pytest.raises(ImageInvalid, match="digest"):
        site.ensure(image)
    assert site.engine.images == before


def test_what_a_death_left_laid_is_swept(site: Site) -> None:
    """At the next start, and with images that are not used."""
    for sweep in (
        lambda: site.images.adapt(told(containerd_store=False)),
        lambda: site.images.forget_unused({site.first}, 3600),
    ):
        site.engine.images["nova-loading/5f0c:aa"] = Image(id="left")
        sweep()
        assert site.engine.image_tags("nova-loading/") == []
        assert site.has(site.first)


def test_who_waits_is_told_and_may_leave(site: Site) -> None:
    """An image that is here is told to nobody."""
    told: list[Any] = []
    boot = SimpleNamespace(
        root_bytes=0,
        expect_wanted=lambda: None,
        begin=lambda: told.append("begin"),
        advance=lambda done, total: told.append((done, total)),
        end=told.append,
    )
    second = site.second()
    stored = site.glance.images[second]
    meta = ImageMeta.from_dict(
        {"id": second, "container_format": "docker", "checksum": stored.checksum}
    )
    context = SimpleNamespace(user=ALICE, is_admin=False)
    site.images.ensure(context, meta, boot)
    assert told == ["begin", None]
    site.images.ensure(context, meta, boot)
    assert told == ["begin", None]
