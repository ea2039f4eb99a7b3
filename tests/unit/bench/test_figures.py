# SPDX-License-Identifier: Apache-2.0
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    """The benchmark's module; the benchmark is a program, not a package."""
    path = Path(__file__).parents[3] / "bench" / "measuring" / "figures.py"
    spec = importlib.util.spec_from_file_location("bench_figures", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([1.0], 95, 1.0),
        ([1.0, 2.0], 50, 1.0),
        ([float(each) for each in range(1, 21)], 95, 19.0),
        ([float(each) for each in range(1, 101)], 95, 95.0),
        ([1.0, 2.0, 3.0], 0, 1.0),
        ([1.0, 2.0, 3.0], 100, 3.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    figures: ModuleType, values: list[float], percent: float, expected: float
) -> None:
    """By the nearest rank, nothing is made up between two values."""
    assert figures.percentile(values, percent) == expected


def test_a_summary_does_not_depend_on_the_order(figures: ModuleType) -> None:
    """Median, percentile and both ends."""
    summary = figures.Summary.of([3.0, 1.0, 2.0])
    assert (summary.count, summary.p50, summary.p95) == (3, 2.0, 3.0)
    assert (summary.least, summary.most) == (1.0, 3.0)


def test_boots_are_read_from_the_log(figures: ModuleType) -> None:
    """A part's name may have blanks, and other words stand on the line and between the lines."""
    log = (
        "2026-01-01 INFO novadocker [None req-1] Boot of nova-5a1c-1 took, in seconds: "
        "image=0.0010 container=0.1000 ports=0.5000\nother\n"
        "Boot of nova-2 took, in seconds: image=1.0000 config drive=0.0200 event=0.2500\n"
    )
    assert figures.boots(log) == {
        "5a1c-1": {"image": 0.001, "container": 0.1, "ports": 0.5},
        "2": {"image": 1.0, "config drive": 0.02, "event": 0.25},
    }


def test_a_boot_that_is_half_written_is_not_read(figures: ModuleType) -> None:
    """The log may be read in the middle of a line."""
    assert figures.boots("Boot of nova-1 took") == {}


def test_the_drivers_own_part_leaves_out_what_it_waits_for(figures: ModuleType) -> None:
    """Nova's ports and Neutron's event are not its work."""
    parts = {"image": 0.1, "container": 0.2, "ports": 5.0, "event": 7.0, "gate": 0.3}
    assert figures.own_part(parts) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("create", "container", "reached"),
    [(1.24, 0.14, [True, True]), (1.26, 0.14, [False, True]), (1.24, 0.16, [True, False])],
)
def test_a_boot_is_judged_by_fake_driver_and_floor(
    figures: ModuleType, create: float, container: float, reached: list[bool]
) -> None:
    """At most 0.25 s above the fake driver's; the own part at most 1.5 times the floor."""
    parts = {"container": container, "ports": 0.5, "event": 1.0}
    verdicts = figures.boot_verdicts([create], [parts], [1.0], [0.1], [0.1])
    assert [each.reached for each in verdicts] == [*reached, reached[-1]]


def test_a_verdict_says_figure_and_bound(figures: ModuleType) -> None:
    """One line, the word first."""
    assert str(figures.Verdict("growth", 33.0, 32.0, "MiB")).startswith("MISSED   growth: 33.000")
    assert str(figures.Verdict("growth", 31.0, 32.0, "MiB")).endswith("MiB (at most 32)")


def test_a_table_has_a_row_for_each_measurement(figures: ModuleType) -> None:
    """With its ratio to what counts as one."""
    rows = {"a": figures.Summary.of([1.0, 3.0]), "b": figures.Summary.of([4.0])}
    lines = figures.table(rows, 2.0).splitlines()
    assert [line.split()[-1] for line in lines] == ["ratio", "1.00", "2.00"]


@pytest.mark.parametrize(("took", "reached"), [(1.29, True), (1.31, False)])
def test_an_action_is_judged_by_engine_and_control_plane(
    figures: ModuleType, took: float, reached: bool
) -> None:
    """At most half as long again as the bare engine, beside what Nova itself takes."""
    verdict = figures.action_verdict("stop", [took], [1.0], [0.2])
    assert verdict.reached is reached


def test_an_action_that_the_engine_lacks_has_no_figure_of_it(figures: ModuleType) -> None:
    """It is in the table all the same."""
    table = figures.actions_table(
        {"stop": [1.3], "attach": [2.0]}, {"stop": [1.0], "attach": [1.5]}, {"stop": [0.2]}
    )
    _, stop, attach = table.splitlines()
    assert stop.split() == ["stop", "1", "1.300", "1.000", "0.200", "0.300"]
    assert attach.split() == ["attach", "1", "2.000", "1.500", "-", "0.500"]


def test_a_hybrid_host_is_judged_by_dispatch_and_boot(figures: ModuleType) -> None:
    """A call's dispatch has its bound in milliseconds, a boot in times of a container-only host."""
    good = figures.hybrid_verdicts({"a": [0.0005, 0.0009, 9.0]}, [1.04], [1.0])
    assert [(each.figure, each.reached) for each in good] == [
        (pytest.approx(0.9), True),
        (pytest.approx(1.04), True),
    ]
    bad = figures.hybrid_verdicts({"a": [0.002]}, [1.1], [1.0])
    assert not any(each.reached for each in bad)
