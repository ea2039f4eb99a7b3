# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from novadocker.gate import start_gate
from novadocker.virt.docker.container.directory import HOSTS, RESOLV_CONF, InstanceDirectory


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstanceDirectory:
    """Files of one instance, not made yet; any gate will do here."""
    (tmp_path / "program").write_bytes(b"gate")
    monkeypatch.setattr(start_gate, "PROGRAM", tmp_path / "program")
    return InstanceDirectory(tmp_path / "instances" / "1", "nova-1")


def test_every_bound_path_is_there_once_it_is_made(directory: InstanceDirectory) -> None:
    """The engine would else make a directory in a file's place."""
    directory.make()
    paths = {seen: Path(path) for seen, path in directory.binds().items()}
    assert set(paths) == {"/dev/.novadocker", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}
    assert paths.pop("/dev/.novadocker").is_dir()
    assert all(path.is_file() for path in paths.values())


def test_a_container_may_read_what_no_stranger_gets_to(directory: InstanceDirectory) -> None:
    """Users of a container read bound files under any umask; strangers find no way."""
    before = os.umask(0o077)
    try:
        directory.make()
    finally:
        os.umask(before)
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert Path(directory.binds()[HOSTS]).stat().st_mode & 0o777 == 0o644


def test_writing_changes_the_file_that_is_bound(directory: InstanceDirectory) -> None:
    """A running container sees the change, because the file stays the same."""
    directory.make()
    path = Path(directory.binds()[HOSTS])
    before = path.stat().st_ino
    directory.write({HOSTS: "127.0.0.1 localhost\n", RESOLV_CONF: ""})
    assert path.read_text() == "127.0.0.1 localhost\n"
    assert path.stat().st_ino == before


def test_making_it_again_keeps_what_is_there(directory: InstanceDirectory) -> None:
    """A boot that is repeated loses nothing."""
    directory.make()
    directory.write({HOSTS: "kept"})
    directory.make()
    assert Path(directory.binds()[HOSTS]).read_text() == "kept"


def test_removing_it_leaves_nothing_and_may_be_repeated(directory: InstanceDirectory) -> None:
    """The FIFO goes too; other instances' files stay."""
    directory.make()
    directory.remove()
    directory.remove()
    assert list(directory.path.parent.iterdir()) == []
