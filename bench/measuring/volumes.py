# SPDX-License-Identifier: Apache-2.0
"""Volume's way into a server and out again, and its speed in there beside the host's."""

import re
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.archives import images
from bench.measuring.cloud import PAUSE, PREFIX, Cloud
from bench.measuring.figures import Verdict
from novadocker.cloud.storage import loops, share
from novadocker.virt.docker.container.labels import container_name

FLAVOR = "c1.small"
PLACE = "/data"
SOURCE = Path(__file__).with_name("volume_io.c")
MIB, BLOCKS = 256, 40000
PATIENCE = 120.0
MUST_OWN_SECONDS = 0.5
# An operation inside has at least 0.95 of the host's rate.
MUST_TIMES_HOST = 1 / 0.95
_OWN = re.compile(r"Volume (\S+) took, in seconds: (attach|detach)=([\d.]+)")
_RATE = re.compile(r"(\w+)=([\d.]+)")

Rates = dict[str, list[float]]


@dataclass
class Measured:
    """Seconds of attachments, and operations a second, in the order of measurement.

    Attributes:
        whole: seconds from the request to its end, by kind of request.
        own: the driver's seconds in them, os-brick's among them.
        inside: rates in the server, by kind of operation.
        host: rates of the same program on the same file system's mount on the host.
    """

    whole: Rates = field(default_factory=dict)
    own: Rates = field(default_factory=dict)
    inside: Rates = field(default_factory=dict)
    host: Rates = field(default_factory=dict)

    def verdicts(self) -> list[Verdict]:
        """Judge the driver's own seconds, and each kind of operation by the host's."""
        seconds = [
            Verdict(f"{name}, the driver's own, p50", median(row), MUST_OWN_SECONDS, "s")
            for name, row in self.own.items()
        ]
        times = [
            Verdict(
                f"{name} inside, by the host's, p50",
                median(self.host[name]) / median(row),
                MUST_TIMES_HOST,
                "times the seconds",
            )
            for name, row in self.inside.items()
        ]
        return seconds + times

    def table(self) -> str:
        """Write medians below each other."""
        seconds = [f"{name:28}{median(row):10.2f} s" for name, row in self.whole.items()]
        rates = [
            f"{name:28}{median(row):10.0f} /s, host {median(self.host[name]):.0f} /s"
            for name, row in self.inside.items()
        ]
        return "\n".join(seconds + rates)


def measure(cloud: Cloud, count: int, tell: Callable[[str], None]) -> Measured:
    """Attach and detach a volume, then read and write it inside and outside in turn.

    Args:
        cloud: running, with Cinder.
        count: rounds.
        tell: is told how far it is.
    """
    done = Measured()
    with cloud.image(images.saved()) as image, _volume(cloud) as volume:
        server, _ = cloud.create(image, FLAVOR)
        for number in range(count):
            _add(done.whole, "attach", _attach(cloud, server, volume))
            _add(done.whole, "detach", _detach(cloud, server, volume))
            tell(f"round {number + 1} of {count}: attached and detached")
        done.own = _own(cloud, volume)
        _attach(cloud, server, volume)
        with _mounted(cloud, volume) as top:
            subprocess.run(["cc", "-O2", "-static", "-o", top / "io", SOURCE], check=True)
            for number in range(count):
                # In turn: who comes first writes new blocks, or finds a cache less warm.
                for inside in (number % 2 == 0, number % 2 == 1):
                    said = _inside(cloud, server) if inside else _outside(top)
                    _rates(done.inside if inside else done.host, said)
                tell(f"round {number + 1} of {count}: read and written")
        _detach(cloud, server, volume)
        cloud.delete(server)
    return done


@contextmanager
def _volume(cloud: Cloud) -> Iterator[str]:
    storage = cloud.tenant.block_storage
    name, metadata = f"{PREFIX}{uuid.uuid4().hex[:8]}", {"docker_mount_point": PLACE}
    made = storage.create_volume(size=1, name=name, volume_type="files", metadata=metadata).id
    _wait(cloud, made, "available")
    yield made
    storage.delete_volume(made)


def _wait(cloud: Cloud, volume: str, status: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while cloud.tenant.block_storage.get_volume(volume).status != status:
        if time.monotonic() > deadline:
            raise TimeoutError(f"volume {volume} to be {status}")
        time.sleep(PAUSE)


def _attach(cloud: Cloud, server: str, volume: str) -> float:
    began = time.monotonic()
    cloud.tenant.compute.create_volume_attachment(server, volume_id=volume)
    _wait(cloud, volume, "in-use")
    return time.monotonic() - began


def _detach(cloud: Cloud, server: str, volume: str) -> float:
    began = time.monotonic()
    cloud.tenant.compute.delete_volume_attachment(server, volume)
    _wait(cloud, volume, "available")
    return time.monotonic() - began


def _own(cloud: Cloud, volume: str) -> Rates:
    """Read the driver's seconds from nova-compute's log."""
    log = cloud.layout.log_of(cloud.host.service("nova-compute")).read_text(errors="replace")
    found: Rates = {}
    for uuid_, name, seconds in _OWN.findall(log):
        if uuid_ == volume:
            _add(found, name, float(seconds))
    return found


@contextmanager
def _mounted(cloud: Cloud, volume: str) -> Iterator[Path]:
    """Mount the file system a second time, on the host: one superblock, two mounts."""
    files = loops.below(share.directory(cloud.layout))
    (device,) = [loops.bound_to(file) for file in files if volume in file.name]
    with tempfile.TemporaryDirectory(prefix="bench-volume-") as made:
        subprocess.run(["mount", str(device), made], check=True)
        try:
            yield Path(made)
        finally:
            subprocess.run(["umount", made], check=True)


def _inside(cloud: Cloud, server: str) -> str:
    argv = (f"{PLACE}/io", f"{PLACE}/file", str(MIB), str(BLOCKS))
    code, output = cloud.engine.run(container_name(server), argv, timeout=int(PATIENCE))
    if code:
        raise RuntimeError(output.decode(errors="replace"))
    return output.decode()


def _outside(top: Path) -> str:
    argv = [str(top / "io"), str(top / "file"), str(MIB), str(BLOCKS)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def _rates(rows: Rates, said: str) -> None:
    for name, rate in _RATE.findall(said):
        _add(rows, name, float(rate))


def _add(rows: Rates, name: str, value: Any) -> None:
    rows.setdefault(name, []).append(value)
