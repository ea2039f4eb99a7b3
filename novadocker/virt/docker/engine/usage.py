# SPDX-License-Identifier: Apache-2.0
"""Resources used by a container, by the engine's count, for both kinds of cgroup."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Usage:
    """Resources used by a container since its start.

    Attributes:
        cpu_nanoseconds: processor time, of all processors together.
        memory_bytes: memory, without what the kernel keeps of files and could give back.
        memory_limit_bytes: limit of the memory.
        processes: processes and threads.
        read_bytes: read from disks; what came from memory is not counted.
        read_requests: reads of disks; None where the kernel does not count them.
        written_bytes: written to disks.
        write_requests: writes to disks; None where the kernel does not count them.
    """

    cpu_nanoseconds: int
    memory_bytes: int
    memory_limit_bytes: int
    processes: int
    read_bytes: int
    read_requests: int | None
    written_bytes: int
    write_requests: int | None

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read the engine's answer.

        Args:
            body: body of ``GET /containers/NAME/stats``.

        Returns:
            The value.
        """
        memory = body.get("memory_stats") or {}
        detail = memory.get("stats") or {}
        files = detail.get("total_inactive_file", detail.get("inactive_file", 0))
        disks = body.get("blkio_stats") or {}
        volume = disks.get("io_service_bytes_recursive")
        requests = disks.get("io_serviced_recursive")
        return cls(
            cpu_nanoseconds=body["cpu_stats"]["cpu_usage"]["total_usage"],
            memory_bytes=max(memory.get("usage", 0) - files, 0),
            memory_limit_bytes=memory.get("limit", 0),
            processes=(body.get("pids_stats") or {}).get("current", 0),
            read_bytes=_sum(volume, "read") or 0,
            read_requests=_sum(requests, "read"),
            written_bytes=_sum(volume, "write") or 0,
            write_requests=_sum(requests, "write"),
        )


def _sum(counters: list[Mapping[str, Any]] | None, operation: str) -> int | None:
    if counters is None:
        return None
    return sum(int(each["value"]) for each in counters if each["op"].lower() == operation)
