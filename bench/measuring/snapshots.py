# SPDX-License-Identifier: Apache-2.0
"""Large snapshot: nova-compute's memory, the seconds of all, the seconds of standstill."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from statistics import median

from bench.archives import images
from bench.measuring import figures
from bench.measuring.cloud import Cloud
from bench.measuring.figures import Verdict
from bench.measuring.memory import FLAVOR, Gauge
from novadocker.virt.docker.container.labels import LABEL_INSTANCE, container_name

NAME = "bench-snapshot"
TAG = "nova-bench/snapshot:1"
WRITING_SECONDS = 600


@dataclass
class Measured:
    """Seconds in the order of measurement, and an amount of memory."""

    written_mib: int
    snapshot: list[float] = field(default_factory=list)
    paused: list[float] = field(default_factory=list)
    engine_commit: list[float] = field(default_factory=list)
    engine_save: list[float] = field(default_factory=list)
    before_mib: float = 0.0
    most_mib: float = 0.0

    def verdicts(self) -> list[Verdict]:
        """Judge the memory, and the pause by the engine's own commit."""
        what = f"nova-compute's growth from {self.before_mib:.0f} MiB in snapshots of servers with "
        return [
            Verdict(
                f"{what}{self.written_mib} MiB written",
                self.most_mib - self.before_mib,
                figures.MUST_GROW_MIB,
                "MiB",
            ),
            Verdict(
                "server paused, p50, by the engine's own commit",
                median(self.paused) / median(self.engine_commit),
                figures.MUST_TIMES_ENGINE,
                "times",
            ),
        ]

    def table(self) -> str:
        """Write medians below each other."""
        rows = {
            "snapshot, request to idle": self.snapshot,
            "  server paused": self.paused,
            "bare engine: commit": self.engine_commit,
            "bare engine: save": self.engine_save,
        }
        return "\n".join(f"{name:28}{median(row):8.2f} s" for name, row in rows.items())


def measure(cloud: Cloud, written_mib: int, count: int, tell: Callable[[str], None]) -> Measured:
    """Make images of a server after much writing, in turn with the bare engine.

    Args:
        cloud: where.
        written_mib: incompressible MiB written by the server.
        count: how often.
        tell: is told how far it is.
    """
    done = Measured(written_mib)
    with cloud.image(images.saved()) as image:
        server, _ = cloud.create(image, FLAVOR)
        _snapshot(cloud, server)  # the first one opens every connection
        _write(cloud, server, written_mib)
        gauge = Gauge(cloud.nova_compute())
        for number in range(count):
            with gauge.watching():
                seconds, paused = _snapshot(cloud, server)
            done.snapshot.append(seconds)
            done.paused.append(paused)
            commit, save = _bare(cloud, server)
            done.engine_commit.append(commit)
            done.engine_save.append(save)
            tell(f"round {number + 1} of {count}: {seconds:.1f} s, {paused:.2f} s of it paused")
        done.before_mib, done.most_mib = gauge.before, gauge.most
        cloud.delete(server)
    return done


def _write(cloud: Cloud, server: str, mib: int) -> None:
    argv = ("/bin/busybox", "dd", "if=/dev/urandom", "of=/written", "bs=1M", f"count={mib}")
    code, output = cloud.engine.run(container_name(server), argv, timeout=WRITING_SECONDS)
    if code:
        raise RuntimeError(output.decode(errors="replace"))


def _snapshot(cloud: Cloud, server: str) -> tuple[float, float]:
    def ask(cloud: Cloud, server: str) -> None:
        cloud.tenant.compute.create_server_image(server, NAME)

    with ThreadPoolExecutor(1) as pool:
        paused = pool.submit(_paused, cloud, server, time.time())
        seconds = cloud.act(server, ask, "ACTIVE", 1)
        return seconds, paused.result()


def _paused(cloud: Cloud, server: str, since: float) -> float:
    began = 0
    with closing(cloud.engine.events(f"{LABEL_INSTANCE}={server}", since)) as events:
        for event in events:
            if event.action == "pause":
                began = event.nanoseconds
            elif event.action == "unpause":
                return (event.nanoseconds - began) / 1e9
    raise RuntimeError("the engine tells no more events")


def _bare(cloud: Cloud, server: str) -> tuple[float, float]:
    began = time.monotonic()
    image = cloud.engine.commit(container_name(server), TAG, pause=True)
    committed = time.monotonic()
    try:
        deque(cloud.engine.save_image(image), maxlen=0)
        return committed - began, time.monotonic() - committed
    finally:
        cloud.engine.remove_image(TAG)
