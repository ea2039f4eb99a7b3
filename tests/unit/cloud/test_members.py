# SPDX-License-Identifier: Apache-2.0
import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from novadocker.cloud.layout.layout import MEMBER, Layout
from novadocker.cloud.machine import processes, remains_of_cloud


@pytest.fixture
def here(layout: Layout, tmp_path: Path) -> Layout:
    """A cloud whose mark no other process carries."""
    return dataclasses.replace(layout, state=tmp_path / "state")


@pytest.fixture
def orphan(here: Layout) -> Iterator[subprocess.Popen[bytes]]:
    """A process that carries the cloud's mark, in a session of its own."""
    with subprocess.Popen(
        ["sleep", "60"], env={MEMBER: str(here.state)}, start_new_session=True
    ) as process:
        yield process
        process.kill()


def test_a_member_is_found_whoever_its_parent_is(
    here: Layout, orphan: subprocess.Popen[bytes]
) -> None:
    """The mark in its environment is enough; no other process is taken for one."""
    assert [process.pid for process in processes.processes(here)] == [orphan.pid]
    assert processes.pids_named(here, "sleep") == {orphan.pid}
    assert processes.pids_named(here, "dockerd") == set()


def test_another_clouds_members_are_not_ours(here: Layout, orphan: subprocess.Popen[bytes]) -> None:
    """Two clouds on one machine do not end each other's processes."""
    assert orphan.poll() is None
    other = dataclasses.replace(here, state=here.state / "other")
    assert not list(processes.processes(other))


def test_what_is_left_over_is_killed(here: Layout, orphan: subprocess.Popen[bytes]) -> None:
    """After the sweep no member runs."""
    remains_of_cloud.kill(processes.processes(here))
    assert not psutil.pid_exists(orphan.pid)
    assert not list(processes.processes(here))
