# SPDX-License-Identifier: Apache-2.0
import dataclasses
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from novadocker.cloud.layout.layout import HOST, MEMBER, Layout
from novadocker.cloud.machine import processes, remains_of_cloud


@pytest.fixture
def here(layout: Layout, tmp_path: Path) -> Layout:
    """A cloud whose mark no other process carries."""
    return dataclasses.replace(layout, state=tmp_path / "state")


@pytest.fixture
def orphan(here: Layout) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process with the cloud's mark, in a separate session."""
    with subprocess.Popen(
        ["sleep", "60"], env={MEMBER: str(here.state)}, start_new_session=True
    ) as process:
        yield process
        process.kill()


def test_a_member_is_found_whoever_its_parent_is(
    here: Layout, orphan: subprocess.Popen[bytes]
) -> None:
    """The mark in the environment is enough; no process without the mark is taken."""
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


def test_processes_of_a_host_are_told_apart(here: Layout) -> None:
    """A process with a host's name in the environment is that host's, and no other's."""
    environment = {MEMBER: str(here.state), HOST: "docker2", "PATH": os.environ["PATH"]}
    with subprocess.Popen(["sleep", "60"], env=environment) as process:
        found = {name: list(processes.processes(here, name)) for name in ("docker1", "docker2")}
        process.kill()
    assert found["docker1"] == []
    assert [each.pid for each in found["docker2"]] == [process.pid]


def test_a_servers_program_is_no_member_whatever_its_environment_says(here: Layout) -> None:
    """A tenant's process, in a user namespace apart, is not taken for the cloud's own."""
    words = ("unshare", "--user", "sh", "-c", "echo begun; exec sleep 60")
    environment = {MEMBER: str(here.state), "PATH": os.environ["PATH"]}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        begun = process.stdout.readline()
        found = list(processes.processes(here))
        process.kill()
    if not begun:
        pytest.skip("user namespaces cannot be made here")
    assert found == []
