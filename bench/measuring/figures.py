# SPDX-License-Identifier: Apache-2.0
"""Figures of a run, and their bounds. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

# What spawn waits for that is not the driver's to hurry.
OTHERS_PARTS = frozenset({"ports", "event"})
MUST_ABOVE_FAKE = 0.25
MUST_TIMES_FLOOR = 1.5
MUST_GROW_MIB = 32.0
MUST_TIMES_ENGINE = 1.5
MUST_TIMES_LOAD = 1.15
MUST_LOAD_GROW_MIB = 64.0
MUST_SHARED_TIMES_COLD = 0.2
MUST_DISPATCH_MILLISECONDS = 1.0
MUST_TIMES_ALONE = 1.05
_BOOT = re.compile(r"Boot of nova-(\S+) took, in seconds: (.*)")
_PART = re.compile(r"([^=\s][^=]*)=([\d.]+)")  # a part's name may have blanks


@dataclass(frozen=True)
class Summary:
    """Summary of a series of measurements, in seconds."""

    count: int
    p50: float
    p95: float
    least: float
    most: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Summary":
        """Sum up a series of at least a single measurement."""
        values = sorted(seconds)
        return cls(len(values), median(values), percentile(values, 95), values[0], values[-1])


@dataclass(frozen=True)
class Verdict:
    """Figure with a bound."""

    what: str
    figure: float
    bound: float
    unit: str

    @property
    def reached(self) -> bool:
        """True for a figure within the bound."""
        return self.figure <= self.bound

    def __str__(self) -> str:
        word = "reached" if self.reached else "MISSED "
        return f"{word}  {self.what}: {self.figure:.3f} {self.unit} (at most {self.bound:g})"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile of sorted values, by the nearest rank: a measured value."""
    rank = -(-len(values) * percent // 100)
    return values[max(int(rank), 1) - 1]


def boots(log: str) -> dict[str, dict[str, float]]:
    """Read the parts of every boot from nova-compute's log.

    Args:
        log: lines of it.

    Returns:
        Seconds by part, by the server's id.
    """
    return {
        uuid: {name: float(seconds) for name, seconds in _PART.findall(text)}
        for uuid, text in _BOOT.findall(log)
    }


def own_part(parts: Mapping[str, float]) -> float:
    """Return the driver's own seconds of a boot."""
    return sum(seconds for name, seconds in parts.items() if name not in OTHERS_PARTS)


def boot_verdicts(
    creates: Sequence[float],
    parts: Sequence[Mapping[str, float]],
    fakes: Sequence[float],
    floors: Sequence[float],
    busy_floors: Sequence[float],
) -> list[Verdict]:
    """Judge a warm boot.

    Args:
        creates: create to ACTIVE.
        parts: parts of the same servers' boots, in the same order.
        fakes: create to ACTIVE with Nova's fake driver.
        floors: the bare engine's create and start, nothing else being done.
        busy_floors: the same while the control plane builds a server.
    """
    own = median(own_part(boot) for boot in parts)
    return [
        Verdict(
            "create to ACTIVE, above the fake driver's, p50",
            median(creates) - median(fakes),
            MUST_ABOVE_FAKE,
            "s",
        ),
        Verdict(
            "the driver's own part of spawn, p50, by the idle engine's floor",
            own / median(floors),
            MUST_TIMES_FLOOR,
            "times",
        ),
        Verdict(
            "the same, by the engine's floor while Nova builds a server",
            own / median(busy_floors),
            MUST_TIMES_FLOOR,
            "times",
        ),
    ]


def hybrid_verdicts(
    calls: Mapping[str, Sequence[float]], hybrid: Sequence[float], alone: Sequence[float]
) -> list[Verdict]:
    """Judge the hybrid driver.

    Args:
        calls: seconds of the dispatch of calls, by their sort.
        hybrid: a container's create to ACTIVE under the hybrid driver.
        alone: the same under the Docker driver.
    """
    return [
        *(
            Verdict(f"{name}, p50", median(each) * 1000, MUST_DISPATCH_MILLISECONDS, "ms")
            for name, each in calls.items()
        ),
        Verdict(
            "a container's boot, p50, by that on a host of containers only",
            median(hybrid) / median(alone),
            MUST_TIMES_ALONE,
            "times",
        ),
    ]


def action_verdict(
    name: str, ours: Sequence[float], fakes: Sequence[float], engine: Sequence[float]
) -> Verdict:
    """Judge an action: at most the engine's time, half as much again, and Nova's part.

    Args:
        name: word for the tables.
        ours: seconds that it took.
        fakes: the same with Nova's fake driver, which is what the control plane costs.
        engine: the same by the bare engine.
    """
    bound = MUST_TIMES_ENGINE * median(engine) + median(fakes)
    return Verdict(f"{name}, p50", median(ours), round(bound, 3), "s")


def actions_table(
    ours: Mapping[str, Sequence[float]],
    fakes: Mapping[str, Sequence[float]],
    engine: Mapping[str, Sequence[float]],
) -> str:
    """Write medians below each other, in seconds.

    Args:
        ours: by action.
        fakes: with Nova's fake driver.
        engine: by the bare engine, where it has the action.
    """
    lines = [f"{'':24}{'n':>4}{'ours':>9}{'fake':>9}{'engine':>9}{'above fake':>12}"]
    for name, seconds in ours.items():
        took, fake = median(seconds), median(fakes[name])
        bare = f"{median(engine[name]):9.3f}" if engine.get(name) else f"{'-':>9}"
        lines.append(f"{name:24}{len(seconds):4}{took:9.3f}{fake:9.3f}{bare}{took - fake:12.3f}")
    return "\n".join(lines)


def table(rows: Mapping[str, Summary], unit: float) -> str:
    """Write summaries below each other.

    Args:
        rows: by what was measured.
        unit: seconds to count as 1 in the column of ratios.
    """
    lines = [f"{'':34}{'n':>4}{'p50':>9}{'p95':>9}{'least':>9}{'most':>9}{'ratio':>8}"]
    for name, row in rows.items():
        seconds = "".join(f"{each:9.3f}" for each in (row.p50, row.p95, row.least, row.most))
        lines.append(f"{name:34}{row.count:4}{seconds}{row.p50 / unit:8.2f}")
    return "\n".join(lines)
