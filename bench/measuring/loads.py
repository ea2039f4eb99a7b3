# SPDX-License-Identifier: Apache-2.0
"""Images from Glance into the engine: ours, the engine's own from a file, and nova-docker's."""

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.archives import layers
from bench.archives.layers import MB
from bench.measuring.cloud import Cloud
from bench.measuring.figures import (
    MUST_LOAD_GROW_MIB,
    MUST_SHARED_TIMES_COLD,
    MUST_TIMES_LOAD,
    Verdict,
)
from bench.measuring.memory import FLAVOR, Gauge
from novadocker.archive import CheckedArchive
from novadocker.virt.docker.host.processor import platform_of_host
from novadocker.virt.docker.images import NAMESPACE

BASE_MB, TOP_MB, NEW_MB = 400, 100, 10
READ_MB = NEW_MB * 1.1
PIECE = 1 << 20
SMALL = "c1.nano"


@dataclass
class Measured:
    """Seconds and MB, in the order of measurement."""

    load: list[float] = field(default_factory=list)
    old_way: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    shared: list[float] = field(default_factory=list)
    shared_cold: list[float] = field(default_factory=list)
    shared_read: list[float] = field(default_factory=list)
    before_mib: float = 0.0
    most_mib: float = 0.0
    boots: int = 0
    fetches: int = 0

    def verdicts(self) -> list[Verdict]:
        """Judge the figures."""
        size = BASE_MB + TOP_MB
        return [
            Verdict(
                f"cold load of {size} MB from Glance, p50, by 'docker load' from the local disk",
                median(self.cold) / median(self.load),
                MUST_TIMES_LOAD,
                "times",
            ),
            Verdict(
                f"nova-compute's growth from {self.before_mib:.0f} MiB as it loads",
                self.most_mib - self.before_mib,
                MUST_LOAD_GROW_MIB,
                "MiB",
            ),
            Verdict("written by nova-compute meanwhile, log and notes", max(self.written), 5, "MB"),
            Verdict(
                f"read from Glance of an image that shares {BASE_MB} MB and has {NEW_MB} new",
                max(self.shared_read),
                READ_MB,
                "MB",
            ),
            Verdict(
                "its load, p50, by its cold load",
                median(self.shared) / median(self.shared_cold),
                MUST_SHARED_TIMES_COLD,
                "times",
            ),
            Verdict(f"fetches for {self.boots} boots at once", self.fetches, 1, "fetches"),
        ]

    def table(self) -> str:
        """Write medians below each other."""
        rows = {
            f"{BASE_MB + TOP_MB} MB: docker load from the local disk": self.load,
            "  nova-docker: Glance to a file, docker load": self.old_way,
            "  cold load from Glance": self.cold,
            f"{BASE_MB + NEW_MB} MB: cold load from Glance": self.shared_cold,
            "  where the base is here": self.shared,
        }
        return "\n".join(f"{name:48}{median(row):8.2f} s" for name, row in rows.items())


class Bench:
    """Two images with a base in common, on the disk and in Glance.

    Args:
        cloud: where.
        directory: for files.
        undo: runs when all is done.
    """

    def __init__(self, cloud: Cloud, directory: Path, undo: ExitStack) -> None:
        # Other layers in each run: an engine may still have those of one that was broken off.
        seed = time.time_ns()
        base = layers.layer(directory / "base", BASE_MB * MB, seed, program=True)
        top = layers.layer(directory / "top", TOP_MB * MB, seed + 1)
        new = layers.layer(directory / "new", NEW_MB * MB, seed + 2)
        self.cloud = cloud
        self.scratch = directory / "scratch.tar"
        self.file = layers.image(directory / "first.tar", [base, top])
        second = layers.image(directory / "second.tar", [base, new])
        self.first, self.second = (
            undo.enter_context(cloud.image(chunks(path), docker_index=_index(path)))
            for path in (self.file, second)
        )
        self.images = [self.first, self.second]

    def load(self) -> float:
        """Load the file as ``docker load`` does; return the seconds."""
        began = time.monotonic()
        self.cloud.engine.load_image(chunks(self.file))
        seconds = time.monotonic() - began
        self.cloud.engine.remove_image("bench:1")
        return seconds

    def old_way(self) -> float:
        """Load the image as nova-docker did; return the seconds."""
        began = time.monotonic()
        try:
            with self.scratch.open("wb") as file:
                answer = self.cloud.tenant.image.get(f"/images/{self.first}/file", stream=True)
                for piece in answer.iter_content(65536):
                    file.write(piece)
            self.cloud.engine.load_image(chunks(self.scratch))
            return time.monotonic() - began
        finally:
            self.scratch.unlink(missing_ok=True)
            self.cloud.engine.remove_image("bench:1")

    def boot(self, image: str) -> float:
        """Boot a server and return the seconds of the image."""
        server, _ = self.cloud.create(image, FLAVOR)
        seconds = self.cloud.parts(server)["image"]
        self.cloud.delete(server)
        return seconds

    def forget(self) -> None:
        """Take the images out of the engine."""
        for tag in self.cloud.engine.image_tags(NAMESPACE):
            if any(image in tag for image in self.images):
                self.cloud.engine.remove_image(tag)


def measure(cloud: Cloud, count: int, boots: int, tell: Callable[[str], None]) -> Measured:
    """Load images, in turn by each way.

    Args:
        cloud: where.
        count: how often.
        boots: how many servers boot at once from an image that is not here.
        tell: is told how far it is.
    """
    done = Measured(boots=boots)
    with ExitStack() as undo:
        where = undo.enter_context(tempfile.TemporaryDirectory(prefix="nd-", dir="/var/tmp"))
        bench = Bench(cloud, Path(where), undo)
        bench.boot(bench.second)  # the first one opens every connection
        bench.forget()
        for number in range(count):
            _one_round(bench, done)
            tell(
                f"round {number + 1} of {count}: load {done.load[-1]:.2f} s, "
                f"cold {done.cold[-1]:.2f} s, shared {done.shared[-1]:.2f} s"
            )
        done.fetches = _at_once(bench, boots)
        undo.callback(bench.forget)
    return done


def _one_round(bench: Bench, done: Measured) -> None:
    cloud = bench.cloud
    done.load.append(bench.load())
    done.old_way.append(bench.old_way())
    gauge = Gauge(cloud.nova_compute())
    written = cloud.nova_compute().io_counters().write_bytes
    with gauge.watching():
        done.cold.append(bench.boot(bench.first))
    done.written.append((cloud.nova_compute().io_counters().write_bytes - written) / MB)
    if gauge.most - gauge.before >= done.most_mib - done.before_mib:
        done.before_mib, done.most_mib = gauge.before, gauge.most
    read = cloud.glance().io_counters().read_chars
    done.shared.append(bench.boot(bench.second))
    done.shared_read.append((cloud.glance().io_counters().read_chars - read) / MB)
    bench.forget()
    done.shared_cold.append(bench.boot(bench.second))
    bench.forget()


def _at_once(bench: Bench, boots: int) -> int:
    cloud = bench.cloud
    before = cloud.loads(bench.second)
    with cloud.room(), ThreadPoolExecutor(boots) as pool:
        created = list(pool.map(lambda _: cloud.create(bench.second, SMALL), range(boots)))
        list(pool.map(lambda each: cloud.delete(each[0]), created))
    return cloud.loads(bench.second) - before


def chunks(path: Path) -> Iterator[bytes]:
    """Read a file."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _index(path: Path) -> str:
    archive = CheckedArchive(chunks(path), image="bench", tag=None, platform=platform_of_host())
    for _ in archive:
        pass
    assert archive.index, "it is not compressed"
    return archive.index.text()
