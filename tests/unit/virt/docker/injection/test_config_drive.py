# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from novadocker.errors import PolicyRefused
from novadocker.virt.docker.injection import config_drive

TREE = [
    ("openstack/latest/meta_data.json", b"{}"),
    ("openstack/latest/user_data", "text"),
    ("openstack/content/0000", b"\0"),
]


def test_the_tree_is_written_for_strangers_to_read(tmp_path: Path) -> None:
    """Users of a container are nobody on the host, whatever umask the service has."""
    before = os.umask(0o077)
    try:
        config_drive.write(tmp_path, TREE)
    finally:
        os.umask(before)
    root = tmp_path / "config-drive"
    assert (root / "openstack/latest/meta_data.json").read_bytes() == b"{}"
    assert (root / "openstack/latest/user_data").read_text() == "text"
    assert {path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_file()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_dir()} == {0o755}
    assert root.stat().st_mode & 0o777 == 0o755


def test_writing_it_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    """A boot may be repeated with other inputs."""
    config_drive.write(tmp_path, TREE)
    config_drive.write(tmp_path, TREE[:1])
    assert not (tmp_path / "config-drive/openstack/content").exists()


def test_a_drive_larger_than_a_vms_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A larger drive would lie on the host's disk, outside of any quota."""
    monkeypatch.setattr(config_drive, "MAX_BYTES", 3)
    with pytest.raises(PolicyRefused, match="config drive = more than 0 MiB is refused"):
        config_drive.write(tmp_path, TREE)
