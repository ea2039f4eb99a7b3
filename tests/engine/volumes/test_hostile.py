# SPDX-License-Identifier: Apache-2.0
"""File systems that somebody else made: refused before the kernel sees them, never written over."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import VolumeError, VolumeRefused
from novadocker.virt.docker.engine import Container
from novadocker.virt.docker.volumes.privileged import mounting
from tests.engine.volumes.conftest import SIZE, Storage, command


def make(path: Path, *options: str) -> None:
    """Make an ext4 file system."""
    command("mkfs.ext4", "-q", "-F", *options, str(path))


def edit(path: Path, *requests: str) -> None:
    """Change a file system below the kernel."""
    for request in requests:
        command("debugfs", "-w", "-R", request, str(path))


def overwrite(path: Path, offset: int, content: bytes) -> None:
    """Write bytes into an image."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def beginning(device: str) -> bytes:
    """Return the first KiB of a device, which no check of a file system writes."""
    with Path(device).open("rb") as file:
        return file.read(1024)


def _sound(path: Path) -> None:
    make(path)


def _damaged_inodes(path: Path) -> None:
    make(path)
    edit(path, "sif <2> mode 0100644")


def _torn_group_table(path: Path) -> None:
    make(path, "-O", "^metadata_csum,^uninit_bg")
    overwrite(path, 2048, b"\xff" * 512)


def _shared_blocks(path: Path) -> None:
    make(path)
    edit(path, "sif <8> links_count 0", "clri <8>", "feature has_journal")
    overwrite(path, 1024 + 0x10C, b"\xa5" * 64)


def _of_another_device(path: Path) -> None:
    make(path)
    edit(path, "ssv journal_dev 0x700", "ssv journal_inum 0")


def _panic(path: Path) -> None:
    make(path)
    edit(path, "ssv errors 3")


def _mount_options(path: Path) -> None:
    make(path)
    command("tune2fs", "-E", "mount_opts=data=writeback", str(path))


def _with(feature: str) -> Callable[[Path], None]:
    def made(path: Path) -> None:
        make(path, "-O", feature)

    made.__name__ = f"_with_{feature}"
    return made


def _luks(path: Path) -> None:
    overwrite(path, 0, b"LUKS\xba\xbe\x00\x02" + b"\x11" * 4096)


def _partitions(path: Path) -> None:
    overwrite(path, 510, b"\x55\xaaEFI PART")


def _noise_at_the_end(path: Path) -> None:
    overwrite(path, SIZE - 4096, b"\x5a" * 512)


def _larger_than_its_device(path: Path) -> None:
    make(path)
    with path.open("r+b") as file:
        file.truncate(SIZE // 2)


REFUSED = [
    *(_damaged_inodes, _torn_group_table, _shared_blocks, _of_another_device, _mount_options),
    *(_luks, _partitions, _noise_at_the_end, _larger_than_its_device),
    *map(_with, ("inline_data", "bigalloc", "quota", "encrypt", "casefold", "ea_inode", "mmp")),
]


@pytest.fixture
def container(servers: Any) -> Container:
    """A server that runs."""
    return servers.boot("exec sleep 600")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A file of a volume's size."""
    path = tmp_path / "image"
    with path.open("wb") as file:
        file.truncate(SIZE)
    return path


@pytest.mark.parametrize("hostile", REFUSED, ids=lambda each: each.__name__.strip("_"))
def test_what_is_not_like_ours_is_never_mounted(
    servers: Any, storage: Storage, container: Container, image: Path, hostile: Callable[..., None]
) -> None:
    """Nothing is formatted, nothing is half mounted, and the device is free again."""
    hostile(image)
    device = storage.device(image)
    before = beginning(device)
    wanted = storage.attachment(servers.asked.uuid, device, "/data2")
    with pytest.raises((VolumeRefused, VolumeError)):
        storage.attach(container, wanted)
    assert not mounting.places(container.pid, container.id, device)
    assert storage.records.of(wanted.instance) == []
    assert beginning(device) == before


def test_a_panic_of_the_host_is_no_choice_of_a_file_systems(
    servers: Any, storage: Storage, container: Container, image: Path
) -> None:
    """Errors make a volume read-only, whatever its superblock wants."""
    _panic(image)
    device = storage.device(image)
    wanted = storage.attachment(servers.asked.uuid, device, "/data2")
    storage.attach(container, wanted)
    (line,) = [
        each
        for each in Path(f"/proc/{container.pid}/mounts").read_text().splitlines()
        if " /data2 " in each
    ]
    assert "errors=panic" not in line
    storage.volumes.detach(wanted.instance, wanted.volume, container)


def test_a_sound_one_of_a_virtual_machine_is_mounted(
    servers: Any, storage: Storage, container: Container, image: Path
) -> None:
    """With owners as they were; Debian's own defaults are what is accepted."""
    _sound(image)
    wanted = storage.attachment(servers.asked.uuid, storage.device(image), "/data2")
    storage.attach(container, wanted)
    storage.volumes.detach(wanted.instance, wanted.volume, container)
