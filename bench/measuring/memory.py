# SPDX-License-Identifier: Apache-2.0
"""nova-compute's memory during the load of a large image."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.archives import images
from bench.measuring.cloud import Cloud
from bench.measuring.figures import MUST_GROW_MIB, Verdict

MIB = 1024**2
FLAVOR = "c1.small"
EVERY_SECONDS = 0.05


class Gauge:
    """Peak memory of a process, in MiB.

    Args:
        process: process to watch.
    """

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.before = self.most = self._now()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the process from the side."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(EVERY_SECONDS):
                self.most = max(self.most, self._now())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def _now(self) -> float:
        return float(self._process.memory_info().rss) / MIB


def measure(cloud: Cloud, size_mib: int) -> tuple[Verdict, float]:
    """Boot a server from an image unknown to the host.

    Args:
        cloud: where.
        size_mib: MiB of the incompressible layer.

    Returns:
        How far the memory grew, and how long create to ACTIVE took.
    """
    with cloud.image(images.saved()) as small:
        cloud.delete(cloud.create(small, FLAVOR)[0])
    with cloud.image(images.saved(size_mib * MIB)) as large:
        gauge = Gauge(cloud.nova_compute())
        with gauge.watching():
            server, seconds = cloud.create(large, FLAVOR)
        cloud.delete(server)
    what = f"nova-compute's growth from {gauge.before:.0f} MiB as it loads {size_mib} MiB"
    return Verdict(what, gauge.most - gauge.before, MUST_GROW_MIB, "MiB"), seconds
