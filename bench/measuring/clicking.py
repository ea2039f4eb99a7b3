# SPDX-License-Identifier: Apache-2.0
"""Dashboard in a person's hands: seconds to the first use, and to a running server."""

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.measuring.figures import Verdict
from novadocker.cloud import cli
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.supervision import dashboard
from tests.support.dashboard_pages import Browser, browser

MUST_BE_USABLE, MUST_LAUNCH = 15.0, 30.0
PREFIX = "bench-"
INSTANCES = "project/instances/"


@dataclass
class Measured:
    """Seconds in the order of measurement, with the machine's load after each round.

    The load is of the last minute: with more than processors, others have had a part in it.
    """

    usable: list[float] = field(default_factory=list)
    launch: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)
    clicks: int = 0

    def verdicts(self) -> list[Verdict]:
        """Judge each series by the median."""
        return [
            Verdict("from 'up' to the list of servers", median(self.usable), MUST_BE_USABLE, "s"),
            Verdict("from the wizard to Active", median(self.launch), MUST_LAUNCH, "s"),
        ]


def measure(
    layout: Layout, password: str, archive: Path, count: int, tell: Callable[[str], None]
) -> Measured:
    """Bring the dashboard up and launch a server by the wizard, in turn.

    Args:
        layout: the cloud, which runs.
        password: the tenant's.
        archive: a saved image.
        count: how often.
        tell: is told how far it is.
    """
    done = Measured()
    for number in range(count):
        _cloud(layout, "--without", "horizon")
        with browser(dashboard.url(layout)) as person:
            began = time.monotonic()
            _cloud(layout, "--with", "horizon")
            person.log_in("demo", password)
            person.open(INSTANCES)
            person.find("//h1")
            done.usable.append(time.monotonic() - began)
            image = f"{PREFIX}{uuid.uuid4().hex[:8]}"
            person.upload(image, archive)
            person.finish()
            person.wait(lambda: "Active" in person.row(image), image)  # noqa: B023 - waited for
            done.launch.append(_launched(person, image))
            done.clicks = person.clicks
            _leave(person, image)
        done.load.append(os.getloadavg()[0])
        tell(
            f"round {number + 1} of {count}: usable after {done.usable[-1]:.1f} s, "
            f"a server after {done.launch[-1]:.1f} s; load {done.load[-1]:.1f}"
        )
    return done


def _cloud(layout: Layout, *arguments: str) -> None:
    if cli.main(["--state", str(layout.state), "up", *arguments]):
        raise RuntimeError(f"up {arguments} failed")


def _launched(person: Browser, image: str) -> float:
    person.clicks = 0
    began = time.monotonic()
    person.launch(
        name=image,
        image=image,
        flavor="c1.tiny",
        network="private",
        group="web",
        key="demo",
        metadata="COLOUR=green",
    )
    person.finish()
    person.wait(lambda: "Active" in person.row(image), image)
    return time.monotonic() - began


def _leave(person: Browser, image: str) -> None:
    person.open(INSTANCES)
    person.act(image, "Delete Instance")
    person.confirm("Delete Instance")
    person.wait(lambda: not person.row(image), "the server to be gone")
    person.open("project/images")
    person.act(image, "Delete Image")
    person.confirm("Delete Image")
