# SPDX-License-Identifier: Apache-2.0
"""Boots, reboots and deletes, in turn with the fake driver's and the bare engine's."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bench.measuring import figures, floor
from bench.measuring.cloud import FAKE, OURS, Cloud
from bench.measuring.figures import Summary, Verdict
from novadocker.policy import Flavor

FLAVOR = "c1.tiny"
AT_ONCE = 10
UNTIL_SPAWN = 0.9  # seconds from the request to when nova-compute begins to build


@dataclass
class Measured:
    """Seconds, in the order of measurement."""

    create: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    soft_reboot: list[float] = field(default_factory=list)
    hard_reboot: list[float] = field(default_factory=list)
    delete: list[float] = field(default_factory=list)
    at_once: list[float] = field(default_factory=list)
    fake_create: list[float] = field(default_factory=list)
    fake_delete: list[float] = field(default_factory=list)
    fake_at_once: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    busy_floor: list[float] = field(default_factory=list)

    def summaries(self) -> dict[str, Summary]:
        """Sum up each series, the parts of spawn included."""
        rows: dict[str, Iterable[float]] = {
            "create to ACTIVE": self.create,
            "  without Neutron's event": [
                seconds - parts["event"]
                for seconds, parts in zip(self.create, self.parts, strict=True)
            ],
            "  fake driver": self.fake_create,
            f"create to ACTIVE, {AT_ONCE} at once": self.at_once,
            f"  fake driver, {AT_ONCE} at once": self.fake_at_once,
            "delete to gone": self.delete,
            "  fake driver's delete": self.fake_delete,
            "reboot, soft": self.soft_reboot,
            "reboot, hard": self.hard_reboot,
        }
        rows |= {f"spawn: {name}": [each[name] for each in self.parts] for name in self.parts[0]}
        rows["spawn: the driver's own part"] = [figures.own_part(each) for each in self.parts]
        rows["bare engine: create and start"] = self.floor
        rows["  while Nova builds a server"] = self.busy_floor
        return {name: Summary.of(seconds) for name, seconds in rows.items()}

    def verdicts(self) -> list[Verdict]:
        """Judge the figures."""
        return figures.boot_verdicts(
            self.create, self.parts, self.fake_create, self.floor, self.busy_floor
        )


def measure(cloud: Cloud, image: str, count: int, tell: Callable[[str], None]) -> Measured:
    """Measure servers of one image.

    Args:
        cloud: where.
        image: a small one.
        count: how often.
        tell: is told how far it is.
    """
    done = Measured()
    flavor = _flavor(cloud)
    _warm_up(cloud, image)
    for number in range(count):
        _one_round(cloud, image, flavor, done)
        ours, fake = done.create[-1], done.fake_create[-1]
        tell(f"round {number + 1} of {count}: create {ours:.2f} s, fake driver {fake:.2f} s")
    done.at_once = _at_once(cloud, image, OURS)
    done.fake_at_once = _at_once(cloud, image, FAKE)
    return done


def _one_round(cloud: Cloud, image: str, flavor: Flavor, done: Measured) -> None:
    # In turn, since the machine is busier at one time than at another.
    server, seconds = cloud.create(image, FLAVOR)
    done.create.append(seconds)
    done.parts.append(cloud.parts(server))
    fake, seconds = cloud.create(image, FLAVOR, FAKE)
    done.fake_create.append(seconds)
    done.soft_reboot.append(cloud.reboot(server, "SOFT"))
    done.hard_reboot.append(cloud.reboot(server, "HARD"))
    done.delete.append(cloud.delete(server))
    done.fake_delete.append(cloud.delete(fake))
    done.floor.append(floor.measure(cloud, image, flavor))
    done.busy_floor.append(_busy_floor(cloud, image, flavor))


def _busy_floor(cloud: Cloud, image: str, flavor: Flavor) -> float:
    # A server's container starts while Nova and Neutron make its ports: so does this one.
    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(cloud.create, image, FLAVOR, FAKE)
        time.sleep(UNTIL_SPAWN)
        seconds = floor.measure(cloud, image, flavor)
        cloud.delete(building.result()[0])
    return seconds


def _warm_up(cloud: Cloud, image: str) -> None:
    # The first server loads the image and opens every connection.
    for zone in (OURS, FAKE):
        cloud.delete(cloud.create(image, FLAVOR, zone)[0])


def _at_once(cloud: Cloud, image: str, zone: str) -> list[float]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        created = list(pool.map(lambda _: cloud.create(image, FLAVOR, zone), range(AT_ONCE)))
        list(pool.map(lambda each: cloud.delete(each[0]), created))
    return [seconds for _, seconds in created]


def _flavor(cloud: Cloud) -> Flavor:
    found = cloud.flavor(FLAVOR)
    return Flavor(vcpus=found.vcpus, memory_mib=found.ram, root_gib=found.disk)
