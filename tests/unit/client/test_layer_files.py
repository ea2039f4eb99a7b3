# SPDX-License-Identifier: Apache-2.0
import gzip
import tarfile
from typing import Any

import pytest

from novadocker.archive import CheckedArchive, Platform
from novadocker.client.layer_files import LayerFiles

PATHS = ("etc/os-release", "usr/lib/os-release")


def found(archive: bytes, chunk: int = 65536) -> dict[str, bytes]:
    """Look into an archive that is checked in chunks."""
    chunks = (archive[at : at + chunk] for at in range(0, len(archive), chunk))
    files = LayerFiles(PATHS)
    for piece in CheckedArchive(chunks, image="x", tag=None, platform=Platform("amd64")):
        for at in range(0, len(piece), chunk):
            files.feed(piece[at : at + chunk])
    return dict(files.found())


def layer(saved_images: Any, **members: Any) -> bytes:
    """Return a layer with a large file before what is looked for."""
    files = {"large": b"x" * 100_000} | {
        name.replace("_", "/"): content for name, content in members.items()
    }
    return saved_images.Archive(files).tar()


@pytest.mark.parametrize("chunk", [1000, 511, 65536])
@pytest.mark.parametrize("form", ["old_style", "oci"])
def test_files_are_found_however_the_bytes_are_cut(
    saved_images: Any, form: str, chunk: int
) -> None:
    """In every form, and the uppermost layer's counts."""
    lower = layer(saved_images, **{"etc_os-release": b"ID=lower", "usr_lib_os-release": b"ID=v"})
    upper = layer(saved_images, **{"./etc_os-release": b"ID=upper"})
    archive = getattr(saved_images, form)(lower, upper).tar()
    assert found(archive, chunk) == {
        "etc/os-release": b"ID=upper",
        "usr/lib/os-release": b"ID=v",
    }


def test_files_are_found_in_a_layer_in_gzip(saved_images: Any) -> None:
    """Registries keep layers so."""
    plain = layer(saved_images, **{"etc_os-release": b"ID=debian"})
    config = saved_images.config([saved_images.sha256(plain)])
    archive = saved_images.oci(gzip.compress(plain), config=config).tar()
    assert found(archive) == {"etc/os-release": b"ID=debian"}


def test_links_and_large_files_are_passed_over(saved_images: Any) -> None:
    """What is looked for is small and plain; a link is nobody's distribution."""
    members = {
        "etc/os-release": saved_images.link("etc/os-release", "../usr/lib/os-release"),
        "usr/lib/os-release": b"x" * 70_000,
    }
    archive = saved_images.old_style(saved_images.Archive(members).tar()).tar()
    assert found(archive) == {}


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_before_a_file_do_not_hide_it(saved_images: Any, format_: int) -> None:
    """Their records are members of a kind, too."""
    members = {"d/" + "n" * 300: b"long", "etc/os-release": b"ID=debian"}
    archive = saved_images.old_style(saved_images.Archive(members, format_).tar()).tar()
    assert found(archive) == {"etc/os-release": b"ID=debian"}
