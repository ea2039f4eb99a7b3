# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.errors import VolumeRefused
from novadocker.virt.docker.volumes import place

WISH = place.METADATA


@pytest.mark.parametrize(
    ("metadata", "tag", "device", "expected"),
    [
        ({WISH: "/var/lib/mysql"}, "data", "/dev/vdb", "/var/lib/mysql"),
        ({WISH: "/var//lib/./mysql/"}, None, "/dev/vdb", "/var/lib/mysql"),
        ({}, "data", "/dev/vdb", "/volumes/data"),
        ({}, None, "/dev/vdc", "/volumes/vdc"),
        ({WISH: ""}, None, "/dev/vdc", "/volumes/vdc"),
    ],
)
def test_a_volume_is_where_its_tenant_says(
    metadata: dict[str, str], tag: str | None, device: str, expected: str
) -> None:
    """Metadata of the volume come first, then the attachment's tag, then the device's name."""
    assert place.place_of("v1", metadata, tag, device) == expected


@pytest.mark.parametrize(
    "path",
    [
        *(
            "relative",
            "/",
            "//",
            "/a/../b",
            "/..",
            "..",
            "",
            "/proc",
            "/proc/sys",
            "/sys/fs/cgroup",
        ),
        "/dev",
        "/dev/shm",
        "/etc",
        "/etc/hosts",
        "/etc/hosts/x",
        "/etc/resolv.conf",
        "/a\nb",
        "/a\0b",
        "/" + "x" * 2000,
        str(place.SEEN_AT),
        f"{place.SEEN_AT}/x",
    ],
)
def test_a_path_of_the_hosts_is_refused(path: str) -> None:
    """In it, over it, and whatever is no plain absolute path."""
    with pytest.raises(VolumeRefused):
        place.refuse("v1", path)


@pytest.mark.parametrize("path", ["/data", "/data/below", "/"])
def test_a_place_overlaps_no_other_volume(path: str) -> None:
    """Neither below another volume, nor over one, nor at one."""
    with pytest.raises(VolumeRefused):
        place.refuse("v1", path, ["/data"])


@pytest.mark.parametrize("path", ["/etcetera", "/etc/mysql", "/database", "/process", "/devices"])
def test_a_name_that_only_begins_alike_is_accepted(path: str) -> None:
    """Paths are compared by their parts."""
    place.refuse("v1", path, ["/data"])
