# SPDX-License-Identifier: Apache-2.0
"""Limits as cgroups tell them."""

from pathlib import Path

import pytest

from novadocker.cloud.demo import limits
from novadocker.cloud.demo.own_image import _host_name

GIVEN = limits.Limits(memory_mib=64, processors=1.5, processes=100)


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of cgroups of the test's own."""
    monkeypatch.setattr(limits, "_CGROUPS", tmp_path)
    return tmp_path


def write(files: dict[Path, str]) -> None:
    """Write files with all needed directories."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_limits_of_cgroup_version_1(cgroups: Path) -> None:
    """With version 1, each controller's own place is read."""
    write(
        {
            cgroups / "memory/a/memory.limit_in_bytes": f"{64 * 2**20}\n",
            cgroups / "cpu/b/cpu.cfs_quota_us": "150000\n",
            cgroups / "cpu/b/cpu.cfs_period_us": "100000\n",
            cgroups / "pids/c/pids.max": "100\n",
        }
    )
    assert limits._version_1({"memory": "/a", "cpu": "/b", "pids": "/c", "": "/"}) == GIVEN


def test_limits_of_cgroup_version_2(cgroups: Path) -> None:
    """With version 2, all are in one place."""
    write(
        {
            cgroups / "memory.max": f"{64 * 2**20}\n",
            cgroups / "cpu.max": "150000 100000\n",
            cgroups / "pids.max": "100\n",
        }
    )
    assert limits._version_2(cgroups) == GIVEN


@pytest.mark.parametrize(
    ("file", "name"),
    [("wdc7.tar", "wdc7"), ("My_App 2.tar", "my-app-2"), ("ä.tar", "own"), ("---.tar", "own")],
)
def test_an_images_file_names_its_server(file: str, name: str) -> None:
    """The server of one's own image has a name that a host can have."""
    assert _host_name(Path(file)) == name
