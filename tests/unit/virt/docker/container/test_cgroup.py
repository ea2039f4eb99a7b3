# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.container.privileged import group_of, mount_of, root_of

ID = "ab" * 32
V1 = f"9:name=systemd:/docker/{ID}\n8:pids:/docker/{ID}\n0::/docker/{ID}\n"
MOUNTS = """\
cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0
systemd /sys/fs/cgroup/systemd cgroup rw,nosuid,xattr,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
"""


def test_the_group_without_controllers_is_found() -> None:
    """And no other: what it has of controllers stays the host's."""
    assert group_of(V1, ID) == f"docker/{ID}"
    assert mount_of(MOUNTS) == "/sys/fs/cgroup/systemd"


def test_there_is_none_with_cgroup_v2_alone() -> None:
    """The runtime has done it there."""
    assert group_of(f"0::/docker/{ID}\n", ID) is None
    assert mount_of("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n") is None


def test_another_process_has_no_part_in_it() -> None:
    """A number may be another's by now."""
    with pytest.raises(ProcessLookupError, match="not of container"):
        group_of("9:name=systemd:/system.slice/sshd.service\n", ID)


@pytest.mark.parametrize("id_map", ["0 0 4294967295\n", "1000 100000 1\n", ""])
def test_the_hosts_root_gets_nothing(id_map: str) -> None:
    """Only a root that is a stranger to the host."""
    assert root_of("  0     100000      65536\n") == 100000
    with pytest.raises(PermissionError):
        root_of(id_map)
