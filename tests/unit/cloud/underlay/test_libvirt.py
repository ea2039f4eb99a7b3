# SPDX-License-Identifier: Apache-2.0
"""Remains of a libvirtd and its machines, at the end of a cloud."""

import errno
from pathlib import Path
from typing import Any

import pytest

from novadocker.cloud.underlay import libvirt


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Names of the removed cgroups, on a machine with one tree and one group of threads."""
    (tmp_path / "one/emulator").mkdir(parents=True)
    for path in (tmp_path, tmp_path / "one", tmp_path / "one/emulator"):
        (path / "cgroup.procs").write_text("")
    names: list[str] = []
    monkeypatch.setattr(libvirt, "_machines", lambda _host: [])
    monkeypatch.setattr(libvirt.remains_of_cloud, "cgroup_roots", lambda _name: [tmp_path])
    monkeypatch.setattr(libvirt.remains_of_cloud, "remove_cgroup", names.append)
    read = Path.read_text

    def read_text(path: Path, *args: Any) -> str:
        if path.parent.name == "emulator":
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return read(path, *args)

    monkeypatch.setattr(Path, "read_text", read_text)
    return names


def test_a_group_of_threads_does_not_stop_a_sweep(removed: list[str]) -> None:
    """The kernel refuses to list processes of such a group; the group above names them."""
    libvirt.sweep(None)  # type: ignore[arg-type]
    assert removed == ["machine"]


def test_a_group_with_a_process_stays(removed: list[str], tmp_path: Path) -> None:
    """A machine of another cloud keeps its control group."""
    (tmp_path / "one/cgroup.procs").write_text("4711\n")
    libvirt.sweep(None)  # type: ignore[arg-type]
    assert removed == []
