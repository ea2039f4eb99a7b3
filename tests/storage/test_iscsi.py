# SPDX-License-Identifier: Apache-2.0
"""Volumes over iSCSI, by os-brick as it is: connected, mounted, grown and let go."""

from pathlib import Path

import pytest

from novadocker.errors import VolumeBusy, VolumeError
from novadocker.virt.docker.engine import Container
from novadocker.virt.docker.volumes.attachments import Volumes
from tests.storage.conftest import PLACE, SIZE, Target, run, sessions


def test_a_volume_comes_by_iscsi_with_chap_and_goes(
    volumes: Volumes, container: Container, target: Target
) -> None:
    """A blank volume of an iSCSI target keeps its files over a detach, which ends the session."""
    wanted = target.attachment()
    volumes.attach(wanted, container, lambda: (0, 0))
    run(container, f"echo kept > {PLACE}/file; sync")
    assert target.name in sessions()
    found = volumes.find(wanted.instance, wanted.volume)
    assert found is not None
    volumes.detach(wanted.instance, wanted.volume, container)
    assert target.name not in sessions()
    assert not Path(found.device).exists()
    assert run(container, f"ls {PLACE}") == ""
    volumes.attach(wanted, container, lambda: (0, 0))
    assert run(container, f"cat {PLACE}/file; stat -c %u {PLACE}/file") == "kept\n0"
    volumes.detach(wanted.instance, wanted.volume, container)


def test_a_wrong_password_leaves_nothing(
    volumes: Volumes, container: Container, target: Target
) -> None:
    """A volume whose target does not know the password is refused, with no session and record."""
    wanted = target.attachment(connection=target.connection("wrong-password"))
    with pytest.raises(VolumeError, match=wanted.volume):
        volumes.attach(wanted, container, lambda: (0, 0))
    assert target.name not in sessions()
    assert volumes.find(wanted.instance, wanted.volume) is None


def test_a_busy_volume_keeps_its_session(
    volumes: Volumes, container: Container, target: Target
) -> None:
    """A volume with an open file stays connected and mounted, and goes when that is closed."""
    wanted = target.attachment()
    volumes.attach(wanted, container, lambda: (0, 0))
    holder = run(container, f"cd {PLACE}; sleep 600 >/dev/null 2>&1 & echo $!")
    with pytest.raises(VolumeBusy, match="sleep"):
        volumes.detach(wanted.instance, wanted.volume, container)
    assert target.name in sessions()
    run(container, f"echo written > {PLACE}/file; kill {holder}")
    volumes.detach(wanted.instance, wanted.volume, container)
    assert target.name not in sessions()


def test_a_volume_grows_while_its_files_are_open(
    volumes: Volumes, container: Container, target: Target
) -> None:
    """A volume that the backend extends is larger inside at once, its file system mounted."""
    wanted = target.attachment()
    volumes.attach(wanted, container, lambda: (0, 0))
    target.extend(2 * SIZE)
    assert volumes.extend(wanted.instance, wanted.volume, container)
    blocks, size = run(container, f"stat -f -c '%b %S' {PLACE}").split()
    assert int(blocks) * int(size) > 1.7 * SIZE
    volumes.detach(wanted.instance, wanted.volume, container)
