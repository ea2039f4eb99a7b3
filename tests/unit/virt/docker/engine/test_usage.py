# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from novadocker.virt.docker.engine import Usage

OLD: dict[str, Any] = {  # cgroup v1
    "pids_stats": {"current": 2},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "Read", "value": 4096},
            {"major": 8, "minor": 16, "op": "Read", "value": 1},
            {"major": 8, "minor": 0, "op": "Write", "value": 8192},
            {"major": 8, "minor": 0, "op": "Total", "value": 12289},
        ],
        "io_serviced_recursive": [{"major": 8, "minor": 0, "op": "Read", "value": 3}],
    },
    "cpu_stats": {"cpu_usage": {"total_usage": 2_262_214_062}},
    "memory_stats": {
        "usage": 557_056,
        "limit": 33_554_432,
        "stats": {"inactive_file": 1, "total_inactive_file": 57_056},
    },
}
NEW: dict[str, Any] = {  # cgroup v2
    "pids_stats": {"current": 2},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "read", "value": 4096},
            {"major": 8, "minor": 0, "op": "write", "value": 8192},
        ],
        "io_serviced_recursive": None,
    },
    "cpu_stats": {"cpu_usage": {"total_usage": 5}},
    "memory_stats": {"usage": 1000, "limit": 4096, "stats": {"inactive_file": 400}},
}
STOPPED: dict[str, Any] = {
    "pids_stats": {},
    "blkio_stats": {"io_service_bytes_recursive": None, "io_serviced_recursive": None},
    "cpu_stats": {"cpu_usage": {"total_usage": 0}},
    "memory_stats": {},
}


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (OLD, Usage(2_262_214_062, 500_000, 33_554_432, 2, 4097, 3, 8192, 0)),
        (NEW, Usage(5, 600, 4096, 2, 4096, None, 8192, None)),
        (STOPPED, Usage(0, 0, 0, 0, 0, None, 0, None)),
    ],
)
def test_usage_is_read_from_both_cgroups(body: dict[str, Any], usage: Usage) -> None:
    """What the kernel does not count is not made up."""
    assert Usage.parse(body) == usage
