# SPDX-License-Identifier: Apache-2.0
"""Files behind ephemeral disks."""

from pathlib import Path

from novadocker.virt.docker.volumes.ephemeral import EphemeralDisks

GIB = 1 << 30


def test_a_disk_is_a_sparse_file_of_its_size(tmp_path: Path) -> None:
    """A new disk has the size that was asked for, and takes no room yet."""
    made = EphemeralDisks(tmp_path / "ephemeral").ensure("i1", 1, 2)
    status = Path(made.connection["data"]["device_path"]).stat()
    assert (status.st_size, status.st_blocks) == (2 * GIB, 0)
    assert (made.instance, made.place, made.ephemeral) == ("i1", "/ephemeral1", True)


def test_a_disk_that_is_there_keeps_its_content(tmp_path: Path) -> None:
    """A second start of a server finds the file of the first."""
    disks = EphemeralDisks(tmp_path / "ephemeral")
    first = disks.ensure("i1", 0, 1)
    Path(first.connection["data"]["device_path"]).write_text("kept")
    assert disks.ensure("i1", 0, 1) == first
    assert Path(first.connection["data"]["device_path"]).read_text() == "kept"


def test_disks_end_with_their_server(tmp_path: Path) -> None:
    """A removed server's files are gone, another's stay, and a second removal is no error."""
    disks = EphemeralDisks(tmp_path / "ephemeral")
    disks.ensure("i1", 0, 1)
    other = disks.ensure("i2", 0, 1)
    disks.remove("i1")
    disks.remove("i1")
    assert not (tmp_path / "ephemeral/i1").exists()
    assert Path(other.connection["data"]["device_path"]).exists()


def test_the_files_are_the_services_alone(tmp_path: Path) -> None:
    """A directory of disks lets nobody in but the service."""
    EphemeralDisks(tmp_path / "ephemeral").ensure("i1", 0, 1)
    assert (tmp_path / "ephemeral").stat().st_mode & 0o077 == 0
