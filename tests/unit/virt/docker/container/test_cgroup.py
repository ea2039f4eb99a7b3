# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.container.privileged import place_of, root_of

ID = "ab" * 32
V1 = f"9:name=systemd:/docker/{ID}\n8:pids:/docker/{ID}\n0::/docker/{ID}\n"
MOUNTS = """\
cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0
systemd /sys/fs/cgroup/systemd cgroup rw,nosuid,xattr,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
"""


V2_MOUNTS = "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n"
OF_V1 = ("", "cgroup.procs", "tasks")
OF_V2 = ("", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control")


def test_the_group_without_controllers_is_found() -> None:
    """On a hybrid host nothing with controllers is given: those stay the host's."""
    expected = (f"/sys/fs/cgroup/systemd/docker/{ID}", OF_V1)
    assert place_of(V1, MOUNTS, ID) == expected


@pytest.mark.parametrize("left_over", ["", "1:name=systemd:/\n"])
@pytest.mark.parametrize("path", [f"/docker/{ID}", f"/system.slice/docker-{ID}.scope"])
def test_the_group_of_cgroup_v2_is_found(path: str, left_over: str) -> None:
    """A mount of the old tree without the container's group does not stand in the way."""
    mounts = V2_MOUNTS + ("cgroup /v1 cgroup rw,name=systemd 0 0\n" if left_over else "")
    found = place_of(f"{left_over}0::{path}\n", mounts, ID)
    assert found == (f"/sys/fs/cgroup{path}", OF_V2)
    assert not any(name.startswith(("memory", "pids", "cpu")) for name in OF_V2)


def test_a_host_without_such_a_hierarchy_has_no_place() -> None:
    """Controllers of cgroup v1 alone are never given."""
    assert place_of(f"8:pids:/docker/{ID}\n", MOUNTS, ID) is None
    assert place_of(f"0::/docker/{ID}\n", "", ID) is None


def test_another_process_has_no_part_in_it() -> None:
    """A number may be another's by now."""
    with pytest.raises(ProcessLookupError, match="not of container"):
        place_of("9:name=systemd:/system.slice/sshd.service\n", MOUNTS, ID)


@pytest.mark.parametrize("id_map", ["0 0 4294967295\n", "1000 100000 1\n", ""])
def test_the_hosts_root_gets_nothing(id_map: str) -> None:
    """Only a root that is a stranger to the host."""
    assert root_of("  0     100000      65536\n") == 100000
    with pytest.raises(PermissionError):
        root_of(id_map)
