# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.privileged.process import belongs

ID = "ab" * 32


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (f"9:pids:/docker/{ID}\n0::/docker/{ID}\n", True),
        (f"0::/system.slice/docker-{ID}.scope\n", True),
        (f"0::/system.slice/docker-{ID}.scope/init.scope\n", True),
        (f"0::/docker/x{ID}\n", False),
        (f"0::/docker/{'cd' * 32}\n", False),
        ("0::/system.slice/sshd.service\n", False),
        ("", False),
    ],
)
def test_a_process_is_known_by_the_group_of_its_container(groups: str, expected: bool) -> None:
    """An init system moves a process below the container's group; no other name counts."""
    assert belongs(groups, ID) is expected
