# SPDX-License-Identifier: Apache-2.0
"""Stacks of servers, in turn with the same servers by Nova alone."""

import os
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from heatclient.client import Client
from heatclient.common import template_utils
from heatclient.exc import HTTPNotFound

from bench.measuring.cloud import NETWORK, PATIENCE, PREFIX, Cloud
from bench.measuring.figures import Verdict
from novadocker.cloud.layout.layout import REGION

TEMPLATE = Path(__file__).parents[2] / "examples/heat/group.yaml"
FLAVOR = "c1.tiny"
FEW, MANY = 3, 10
MUST_ADD = 3.0
MUST_TIMES = 1.3
PAUSE = 0.1


@dataclass
class Measured:
    """Seconds, in the order of measurement.

    Beside them the machine's load in the minute before: what others have had a part in. The
    rounds themselves bring it to 20, since ten servers are asked for, and after, at once.
    """

    few: list[float] = field(default_factory=list)
    stack: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])

    def verdicts(self) -> list[Verdict]:
        """Judge Heat's addition to a stack, and a group's time to grow."""
        added = [stack - few for stack, few in zip(self.stack, self.few, strict=True)]
        times = [growth / many for growth, many in zip(self.growth, self.many, strict=True)]
        return [
            Verdict(f"Heat adds to {FEW} servers", median(added), MUST_ADD, "s"),
            Verdict(f"growth by {MANY}, to {MANY} creates", median(times), MUST_TIMES, "times"),
        ]


def measure(cloud: Cloud, image: str, count: int, tell: Callable[[str], None]) -> Measured:
    """Measure stacks of an image.

    Args:
        cloud: where.
        image: a small one.
        count: how often.
        tell: is told how far it is.
    """
    heat = Client("1", session=cloud.tenant.session, region_name=REGION)
    done = Measured()
    tell(f"the load before: {done.load_before:.1f}")
    # The first server loads the image, and the first stack opens every connection.
    _at_once(cloud, image, 1)
    _delete(heat, _stack(heat, image, 1)[0])
    for number in range(count):
        done.few.append(_at_once(cloud, image, FEW))
        stack, seconds = _stack(heat, image, FEW)
        _delete(heat, stack)
        done.stack.append(seconds)
        done.many.append(_at_once(cloud, image, MANY))
        done.growth.append(_grown(heat, image))
        tell(
            f"round {number + 1} of {count}: {FEW} servers {done.few[-1]:.1f} s, "
            f"as a stack {done.stack[-1]:.1f} s; {MANY} servers {done.many[-1]:.1f} s, "
            f"as a group's growth {done.growth[-1]:.1f} s"
        )
    return done


def _at_once(cloud: Cloud, image: str, number: int) -> float:
    began = time.monotonic()
    with ThreadPoolExecutor(number) as pool:
        made = list(pool.map(lambda _: cloud.create(image, FLAVOR), range(number)))
        seconds = time.monotonic() - began
        list(pool.map(lambda each: cloud.delete(each[0]), made))
    return seconds


def _stack(heat: Any, image: str, number: int) -> tuple[str, float]:
    began = time.monotonic()
    files, template = template_utils.get_template_contents(str(TEMPLATE))
    parameters = {"image": image, "flavor": FLAVOR, "network": NETWORK, "count": number}
    stack = heat.stacks.create(
        stack_name=f"{PREFIX}{uuid.uuid4().hex[:8]}",
        template=template,
        files=files,
        parameters=parameters,
    )["stack"]["id"]
    _until(heat, stack, "CREATE_COMPLETE")
    return stack, time.monotonic() - began


def _grown(heat: Any, image: str) -> float:
    stack, _ = _stack(heat, image, 0)
    files, template = template_utils.get_template_contents(str(TEMPLATE))
    began = time.monotonic()
    heat.stacks.update(
        stack, template=template, files=files, existing=True, parameters={"count": MANY}
    )
    _until(heat, stack, "UPDATE_COMPLETE")
    seconds = time.monotonic() - began
    _delete(heat, stack)
    return seconds


def _delete(heat: Any, stack: str) -> None:
    heat.stacks.delete(stack)
    _until(heat, stack, "DELETE_COMPLETE")


def _until(heat: Any, stack: str, status: str) -> None:
    verb, deadline = status.partition("_")[0], time.monotonic() + PATIENCE
    while (found := _status(heat, stack)) != status:
        if found.startswith(verb) and not found.endswith("_IN_PROGRESS"):
            raise RuntimeError(f"stack {stack} is {found}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE:.0f} s for stack {stack} to be {status}")
        time.sleep(PAUSE)


def _status(heat: Any, stack: str) -> str:
    try:
        return str(heat.stacks.get(stack, resolve_outputs=False).stack_status)
    except HTTPNotFound:
        return "DELETE_COMPLETE"
