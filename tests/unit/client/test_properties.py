# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from novadocker.archive import Platform
from novadocker.archive.image.index import Index
from novadocker.client import properties
from novadocker.client.errors import PlatformRefused, PropertiesRefused
from novadocker.client.examination import Examined
from novadocker.virt.docker.host.processor import platform_of_host
from tests.unit.client.conftest import examination


@pytest.fixture
def examined(saved_images: Any) -> Examined:
    """A Debian."""
    layer = saved_images.Archive({"etc/os-release": b"ID=debian\nVERSION_ID=12"}).tar()
    archive = saved_images.old_style(layer).tar()
    return examination(archive).run()


def test_the_scheduler_is_told_what_hosts_can_boot_it() -> None:
    """Nova's words for the type of hypervisor and the architecture."""
    assert properties.known(Platform("arm64")) == {
        "hypervisor_type": "docker",
        "os_type": "linux",
        "architecture": "aarch64",
    }


def test_an_architecture_that_nova_does_not_know_is_not_told() -> None:
    """Nova would refuse to read the image at all."""
    assert "architecture" not in properties.known(Platform("riscv64"))


def test_nova_reads_every_property_that_is_set(examined: Examined) -> None:
    """As its scheduler's filters see them."""
    from nova.objects.image_meta import ImageMeta  # noqa: PLC0415

    told = properties.known(Platform("amd64")) | properties.learnt(examined)
    told.pop("min_disk")
    meta = ImageMeta.from_dict({"properties": told}).properties
    assert (meta.img_hv_type, meta.hw_architecture) == ("docker", "x86_64")
    assert (meta.os_type, meta.os_distro) == ("linux", "debian")


@pytest.mark.parametrize("architecture", ["amd64", "386", "arm64", "arm", "ppc64le", "s390x"])
def test_an_architecture_is_found_again(architecture: str) -> None:
    """What import writes is what save and inspect read."""
    told = properties.known(Platform(architecture))
    assert properties.platform_of(told).runs(Platform(architecture))


def test_what_is_in_an_archive_becomes_properties(examined: Examined) -> None:
    """Distribution, the disk that the layers fill, and the index."""
    learnt = properties.learnt(examined)
    assert (learnt["os_distro"], learnt["os_version"], learnt["min_disk"]) == ("debian", "12", 1)
    assert Index.parse(learnt["docker_index"]) == examined.index


@pytest.mark.parametrize("word", ["arm64", "linux/", "/arm64", "linux/arm/v7/x", ""])
def test_a_platform_that_is_none_is_refused(word: str) -> None:
    """The message says what one looks like."""
    with pytest.raises(PlatformRefused, match="linux/arm64"):
        properties.platform(word)


def test_a_platform_is_this_machines_unless_given() -> None:
    """As with docker's own commands."""
    assert properties.platform(None).architecture == platform_of_host().architecture
    assert properties.platform("linux/arm64") == Platform("arm64")
    assert properties.platform("linux/arm/v6") == Platform("arm", variant="v6")


def test_a_wanted_platform_has_no_features_of_this_machines_processor() -> None:
    """What is best for a laptop may not run on a cloud's hosts."""
    assert properties.platform(None).variant in {"", "v6", "v7"}
    assert properties.platform_of({}).variant in {"", "v6", "v7"}


def test_an_image_for_older_arms_is_not_tied_to_newer_ones() -> None:
    """It runs on both, and Nova has no word for that."""
    assert "architecture" not in properties.known(Platform("arm", variant="v6"))
    assert properties.known(Platform("arm", variant="v7"))["architecture"] == "armv7l"


@pytest.mark.parametrize("name", ["size", "container_format", "docker_index", "owner"])
def test_what_is_no_property_cannot_be_set_as_one(name: str) -> None:
    """Before anything is uploaded."""
    with pytest.raises(PropertiesRefused, match=name):
        properties.given({name: "1"})
