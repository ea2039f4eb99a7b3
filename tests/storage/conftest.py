# SPDX-License-Identifier: Apache-2.0
"""iSCSI targets with CHAP, and a container's namespaces without an engine.

Runs in the kernel that ``./test storage`` brings up, and nowhere else.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import os_brick.privileged
import pytest
from oslo_concurrency import lockutils

from novadocker.virt.docker.engine import Container, State
from novadocker.virt.docker.volumes.attachments import Volumes
from novadocker.virt.docker.volumes.connector import Connector, HostIdentity
from novadocker.virt.docker.volumes.privileged import context as privileged
from novadocker.virt.docker.volumes.records import Records
from novadocker.virt.docker.volumes.values import Attachment, Trust
from tests.engine.virt.privileges import daemon

MIB = 1 << 20
SIZE = 64 * MIB
PLACE = "/data"
PORTAL = "127.0.0.1:3260"
INITIATOR = "iqn.2026-11.test:host1"
USER, PASSWORD = "user", "secret-of-chap"
FIRST_ID, IDS = 100000, 65536
_TARGETS = Path("/sys/kernel/config/target")


@dataclass
class Target:
    """An iSCSI target of the kernel's own, with one disk.

    Attributes:
        file: content of the disk.
        loop: loop device of that file.
        name: the target's IQN.
    """

    file: Path
    loop: str
    name: str

    def publish(self) -> None:
        """Offer the disk to one initiator that knows the password."""
        disk = _TARGETS / "core/iblock_0" / self.file.name
        disk.mkdir(parents=True)
        (disk / "control").write_text(f"udev_path={self.loop}")
        (disk / "enable").write_text("1")
        group = _TARGETS / "iscsi" / self.name / "tpgt_1"
        unit, initiator = group / "lun/lun_0", group / "acls" / INITIATOR
        for directory in (unit, group / "np" / PORTAL, initiator / "lun_0"):
            directory.mkdir(parents=True)
        (unit / "disk").symlink_to(disk)
        (initiator / "lun_0/disk").symlink_to(unit)
        (group / "attrib/authentication").write_text("1")
        (initiator / "auth/userid").write_text(USER)
        (initiator / "auth/password").write_text(PASSWORD)
        (group / "enable").write_text("1")

    def extend(self, size: int) -> None:
        """Give the disk another size, as a backend does."""
        os.truncate(self.file, size)
        command("losetup", "--set-capacity", self.loop)

    def connection(self, password: str = PASSWORD) -> dict[str, Any]:
        """Return what Cinder tells of it."""
        data = {
            "target_discovered": False,
            "target_iqn": self.name,
            "target_portal": PORTAL,
            "target_lun": 0,
            "volume_id": self.file.name,
            "auth_method": "CHAP",
            "auth_username": USER,
            "auth_password": password,
            "access_mode": "rw",
        }
        return {"driver_volume_type": "iscsi", "data": data, "serial": self.file.name}

    def attachment(self, **changes: Any) -> Attachment:
        """Return what a server asks for."""
        values = {"place": PLACE, "connection": self.connection()}
        return Attachment(volume=self.file.name, instance="i1", **(values | changes))


def command(*words: str) -> str:
    """Run a program and return what it printed."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def identity() -> HostIdentity:
    """Return this host as a backend would know it."""
    return HostIdentity("host1", "127.0.0.1")


@pytest.fixture(scope="session", autouse=True)
def _privileged() -> Iterator[None]:
    """Our daemon as in production; os-brick runs programs itself, being root already."""
    lockutils.set_defaults(tempfile.gettempdir())
    os_brick.privileged.default.set_client_mode(False)
    with daemon(privileged):
        yield


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A target with a blank disk; the kernel's end takes it away."""
    file = tmp_path / str(uuid.uuid4())
    with file.open("wb") as made:
        made.truncate(SIZE)
    found = Target(
        file, command("losetup", "--find", "--show", str(file)), f"iqn.2026-11.test:{file.name}"
    )
    found.publish()
    return found


@pytest.fixture
def volumes() -> Iterator[Volumes]:
    """The volumes of the host."""
    with tempfile.TemporaryDirectory() as directory:
        yield Volumes(Records(Path(directory)), Connector(identity), Trust.CHECKED)


@pytest.fixture
def container() -> Iterator[Container]:
    """Namespaces of a container: mounts of its own, and mapped users."""
    Path(PLACE).mkdir(exist_ok=True)
    with _process() as pid:
        # Without an id: its process is in no control group of an engine's.
        yield Container(id="", name="nova-i1", labels={}, state=State.RUNNING, pid=pid)


@contextlib.contextmanager
def _process() -> Iterator[int]:
    ours, theirs = socket.socketpair()
    script = "echo ready; read go; exec sleep 600"
    with subprocess.Popen(
        ["unshare", "--user", "--mount", "bash", "-c", script], stdin=theirs, stdout=theirs
    ) as process:
        with ours, theirs:
            assert ours.recv(16) == b"ready\n"
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{process.pid}/{name}").write_text(f"0 {FIRST_ID} {IDS}")
            ours.sendall(b"go\n")
        try:
            yield process.pid
        finally:
            process.kill()


def run(container: Container, script: str) -> str:
    """Run a script as the container's root and return what it printed."""
    enter = (
        "nsenter",
        f"--target={container.pid}",
        "--user",
        "--mount",
        "--setuid=0",
        "--setgid=0",
    )
    return command(*enter, "sh", "-c", script)


def sessions() -> str:
    """Return the sessions of the initiator, "" without one."""
    done = subprocess.run(
        ["iscsiadm", "--mode", "session"], check=False, capture_output=True, text=True
    )
    return done.stdout
