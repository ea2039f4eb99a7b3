# SPDX-License-Identifier: Apache-2.0
"""What a run of Tempest came to."""

import pytest

from tests.tempest.report import Report

PRINTED = """\
{0} tempest.api.compute.test_x.Y.test_z [0.5s] ... ok
{1} tempest.api.compute.test_x.Y.test_a [12.081173s] ... FAILED

Captured traceback:
~~~~~~~~~~~~~~~~~~~
    Traceback (most recent call last):
{0} setUpClass (tempest.api.compute.test_v.Volumes) ... SKIPPED: Cinder is not available
{0} setUpClass (tempest.api.compute.test_w.W) [0.000000s] ... FAILED
{0} tempest.api.compute.test_x.Y.test_b [0.0s] ... SKIPPED: Issue 1
==============================
Failed 2 tests - output below:
"""


def test_each_test_is_counted_by_what_became_of_it() -> None:
    """A class that could not be set up is a failure; traces are not tests."""
    report = Report()
    told = [line for line in PRINTED.splitlines() if report.read(line)]
    assert len(told) == 5
    assert report.passed == ["tempest.api.compute.test_x.Y.test_z"]
    assert report.failed == [
        "tempest.api.compute.test_x.Y.test_a",
        "setUpClass (tempest.api.compute.test_w.W)",
    ]
    assert len(report.skipped) == 2


def test_the_report_names_failures_and_counts_all() -> None:
    """It is the last that a run prints."""
    report = Report(passed=["a", "b"], failed=["c"], exit_code=1)
    assert str(report) == "FAILED c\n2 passed, 1 failed, 0 skipped; Tempest's exit code is 1"


@pytest.mark.parametrize(
    "report",
    [Report(), Report(passed=["a"], failed=["b"]), Report(passed=["a"], exit_code=-15)],
)
def test_a_run_that_tried_nothing_or_broke_off_is_not_good(report: Report) -> None:
    """Only one that ended by itself with all passed is."""
    assert not report.is_good
    assert Report(passed=["a"]).is_good
