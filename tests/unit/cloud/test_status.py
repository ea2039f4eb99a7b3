# SPDX-License-Identifier: Apache-2.0
from novadocker.cloud.status import Row, render


def test_the_table_ends_with_the_sum_of_the_memory() -> None:
    """The table ends with the memory of the whole cloud."""
    rows = [Row("a", "RUNNING", 1, 100, 80), Row("b", "STOPPED", 0, 0, None)]
    lines = render(rows).splitlines()
    assert len(lines) == 4
    assert lines[-1].strip() == "100"


def test_only_running_counts_as_well() -> None:
    """A starting service, or a service given up, does not count as running."""
    states = ("RUNNING", "STARTING", "BACKOFF", "FATAL", "STOPPED", "LEFT OVER")
    assert [Row("a", state, 1, 1, None).running for state in states] == [True] + [False] * 5
