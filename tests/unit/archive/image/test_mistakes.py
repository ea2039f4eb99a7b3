# SPDX-License-Identifier: Apache-2.0
"""Wrong uploads are called what they are, with the way out."""

import tarfile
from typing import Any

import pytest

from tests.unit.archive import hostile_layers as layers
from tests.unit.archive.reading import reason


def saved(saved_images: Any) -> Any:
    """Return an archive as ``docker save`` writes it."""
    return saved_images.old_style(saved_images.layer())


def export() -> bytes:
    """Return what ``docker export`` writes: folders, files, a device, hard links."""
    return (
        layers.directory("bin")
        + layers.file("bin/sh")
        + layers.directory("etc")
        + layers.file("etc/motd")
        + layers.hard_link("bin/ash", "bin/sh")
        + layers.END
    )


def test_an_export_is_told_from_a_save() -> None:
    """A file system is refused with the command that makes an image of it."""
    said = reason(export())
    assert "'docker export'" in said
    assert "'docker import FILE NAME'" in said


def test_an_export_without_links_is_told_from_a_save() -> None:
    """A file system that the format lets pass is refused for want of a manifest."""
    assert "'docker export'" in reason(layers.file("bin/sh") + layers.file("etc/x") + layers.END)


def test_a_folder_packed_too_high_is_told(saved_images: Any) -> None:
    """The folder is named, and the command that packs what is in it."""
    archive = saved(saved_images)
    archive.members = {f"image/{name}": content for name, content in archive.members.items()}
    for content in archive.members.values():
        if isinstance(content, tarfile.TarInfo):
            content.name = f"image/{content.name}"
    assert "in the folder 'image', packed one level too high" in reason(archive.tar())


def test_a_save_of_an_old_docker_is_told(saved_images: Any) -> None:
    """Docker before 1.10 wrote no manifest."""
    archive = saved(saved_images)
    del archive.members["manifest.json"]
    assert "Docker before 1.10" in reason(archive.tar())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("docker save".encode("utf-16"), "UTF-16, as PowerShell"),
        (b"PK\x03\x04" + bytes(600), "ZIP"),
        (b"QFI\xfb" + bytes(600), "disk of a virtual machine"),
        (b"FROM debian\n", "Dockerfile; build it first"),
        (b'{"a": 1}', "JSON"),
    ],
)
def test_what_is_no_archive_is_called_what_it_is(data: bytes, said: str) -> None:
    """A file of another kind is named in the refusal."""
    assert said in reason(data)


def test_another_architecture_comes_with_the_way_out(saved_images: Any) -> None:
    """The platform that is wanted is one to pull or build for."""
    layer = saved_images.layer()
    config = saved_images.config([saved_images.sha256(layer)], architecture="s390x")
    said = reason(saved_images.old_style(layer, config=config).tar())
    assert "'linux/s390x'; linux/amd64 is wanted: pull or build it with --platform" in said
