# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from novadocker.errors import ContainerUnseen
from novadocker.virt.docker.engine import Container, State
from novadocker.virt.docker.host import strays

ID = "c" * 64
ENDED = Container(id=ID, name="nova-1", labels={}, state=State.EXITED)


def process(proc: Path, pid: int, groups: str, cmdline: bytes = b"init\0") -> None:
    """Put a process into a stand-in of /proc."""
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "cgroup").write_text(groups)
    (proc / str(pid) / "cmdline").write_bytes(cmdline)


@pytest.mark.parametrize(
    "groups",
    [
        f"7:memory:/novadocker-1/{ID}\n1:name=systemd:/novadocker-1/{ID}\n",
        f"0::/novadocker-1/{ID}/init.scope\n",
        f"0::/system.slice/docker-{ID}.scope\n",
    ],
)
def test_a_start_beside_a_living_process_is_refused(tmp_path: Path, groups: str) -> None:
    """The message names the processes under both kinds of control groups and both drivers."""
    process(tmp_path, 7011, groups)
    process(tmp_path, 702, groups)
    with pytest.raises(ContainerUnseen, match="exited, yet its processes 702, 7011 are alive"):
        strays.refuse(ENDED, seconds=0, proc=tmp_path)


@pytest.mark.parametrize("state", [State.CREATED, State.RUNNING, State.PAUSED])
def test_a_container_with_another_state_is_not_looked_for(tmp_path: Path, state: State) -> None:
    """A running container's processes are as they should be."""
    process(tmp_path, 7011, f"0::/{ID}\n")
    container = Container(id=ID, name="nova-1", labels={}, state=state)
    strays.refuse(container, seconds=0, proc=tmp_path)


def test_zombies_and_processes_of_others_do_not_count(tmp_path: Path) -> None:
    """A start passes when nothing of the container is alive."""
    process(tmp_path, 7011, f"0::/{ID}\n", cmdline=b"")
    process(tmp_path, 7012, f"0::/novadocker-1/{'d' * 64}\n")
    (tmp_path / "sys").mkdir()
    (tmp_path / "7013").mkdir()  # a process that ends while we look
    assert strays.living(ID, tmp_path) == ()
    strays.refuse(ENDED, seconds=0, proc=tmp_path)


def test_an_end_that_is_under_way_is_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is gone at the second look hinders no start."""
    looks = iter([(7011,), ()])
    monkeypatch.setattr(strays, "living", lambda *_: next(looks))
    strays.refuse(ENDED, proc=tmp_path)
