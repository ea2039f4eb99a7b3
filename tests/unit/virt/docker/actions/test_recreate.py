# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from typing import Any

import pytest

from novadocker.errors import ResizeRefused
from novadocker.gate.start_gate import INIT, StartGate
from novadocker.policy import (
    GIB,
    MIB,
    Limits,
    Rights,
)
from novadocker.policy.quota import DiskRates
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.container.labels import LABEL_KEPT
from novadocker.virt.docker.engine import Container, State
from novadocker.virt.docker.engine.calls.update import replica_body
from novadocker.virt.docker.engine.limits import disk_body, limits_body, parse_limits
from novadocker.virt.docker.engine.rights import rights_entrypoint

LIMITS = Limits(
    memory_bytes=64 * MIB,
    swap_bytes=8 * MIB,
    nano_cpus=10**9,
    cpu_shares=1024,
    pids=64,
    disk_bytes=4 * GIB,
)

RATES = DiskRates("/dev/vda", write_bytes=MIB, read_iops=70)


def container(limits: Limits = LIMITS, kept: int = 0, driver: str = "overlay2") -> Container:
    """Return a container with limits, made anew where it has kept something."""
    labels = {LABEL_KEPT: str(kept)} if kept else {}
    return Container("1", "nova-1", labels, State.EXITED, limits=limits, storage_driver=driver)


class Sizes:
    """An engine that measures one container."""

    def __init__(self, written: int, whole: int) -> None:
        """Take what it measures."""
        self._sizes = written, whole

    def sizes(self, name: str) -> tuple[int, int]:
        """Measure."""
        return self._sizes


@pytest.mark.parametrize(
    ("disk", "kept", "driver", "written", "whole", "fits"),
    [
        (4, 0, "overlay2", 9, 9, True),  # as large as it was
        (8, 0, "overlay2", 9, 9, True),  # larger
        (0, 0, "overlay2", 9, 9, True),  # not limited
        (2, 0, "overlay2", 1, 9, True),
        (2, 0, "overlay2", 2, 9, False),
        (2, 1, "overlay2", 0.5, 9, True),
        (2, 1, "overlay2", 1, 9, False),  # with what it wrote before it was made anew
        (2, 0, "btrfs", 0, 1, True),
        (2, 0, "btrfs", 0, 2, False),  # with its image
    ],
)
def test_a_smaller_disk_must_hold_what_was_written(
    disk: int, kept: int, driver: str, written: float, whole: int, fits: bool
) -> None:
    """Counted as the storage driver counts it."""
    engine: Any = Sizes(int(written * GIB), whole * GIB)
    has = container(replace(LIMITS, disk_bytes=(4 - kept) * GIB), kept * GIB, driver)
    wanted = replace(LIMITS, disk_bytes=disk * GIB)
    if fits:
        recreate.refuse_smaller_disk(engine, has, wanted)
        return
    with pytest.raises(ResizeRefused, match="new flavor's disk is 2 GiB; delete some"):
        recreate.refuse_smaller_disk(engine, has, wanted)


def test_what_a_flavor_gave_counts_what_is_kept() -> None:
    """A container made anew has less room in its new layer, and the same disk."""
    assert recreate.current_limits(container(kept=GIB)).disk_bytes == 5 * GIB
    unlimited = replace(LIMITS, disk_bytes=0)
    assert recreate.current_limits(container(unlimited, kept=GIB)) == unlimited


@pytest.mark.parametrize("rates", [DiskRates(), RATES])
def test_limits_are_read_as_they_are_written(rates: DiskRates) -> None:
    """What may be changed later, and what is fixed with the container."""
    limits = replace(LIMITS, rates=rates)
    assert parse_limits({**limits_body(limits), **disk_body(limits)}) == limits


@pytest.mark.parametrize(
    ("host_config", "expected"),
    [
        ({}, 0),
        ({"Memory": 64, "MemorySwap": 64}, 0),
        ({"Memory": 64, "MemorySwap": 96}, 32),
        ({"Memory": 64, "MemorySwap": -1}, 0),  # a kernel that does not count swap
    ],
)
def test_swap_is_what_is_beside_the_memory(host_config: dict[str, int], expected: int) -> None:
    """The engine counts both together."""
    assert parse_limits(host_config).swap_bytes == expected


def test_a_replica_is_like_the_other_in_all_else() -> None:
    """Image, limits, rights and labels are its own; volumes go with the last container."""
    body = {
        "Id": "abc",
        "Config": {"Cmd": ["sh"], "Image": "old", "Labels": {"a": "1", "b": "2"}},
        "HostConfig": {"CapAdd": ["CHOWN"], "Memory": 1, "StorageOpt": {"size": "1"}},
    }
    made = replica_body(body, "new", LIMITS, Rights(capabilities=("KILL",)), {"b": "3"})
    assert (made["Cmd"], made["Image"]) == (["sh"], "new")
    assert made["Labels"] == {
        "a": "1",
        "b": "3",
        "novadocker.init": "false",
        "novadocker.reaper": "false",
    }
    assert made["HostConfig"]["CapAdd"] == ["KILL"]
    assert made["HostConfig"]["Memory"] == 64 * MIB
    assert made["HostConfig"]["StorageOpt"] == {"size": str(4 * GIB)}
    assert made["HostConfig"]["VolumesFrom"] == ["abc"]
    limited = replica_body(body, "new", replace(LIMITS, rates=RATES), Rights(), {})
    entry = {"Path": "/dev/vda", "Rate": MIB}
    assert limited["HostConfig"]["BlkioDeviceWriteBps"] == [entry]
    unlimited = replica_body(
        {**body, **limited}, "new", replace(LIMITS, disk_bytes=0), Rights(), {}
    )
    assert unlimited["HostConfig"]["StorageOpt"] == {}
    assert unlimited["HostConfig"]["BlkioDeviceWriteBps"] == []


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_a_replica_has_the_init_of_its_rights(before: bool, after: bool) -> None:
    """An init comes between the gate and the command, or goes, and the command stays."""
    gate, run = StartGate.entrypoint(), ("/bin/sh", "user_data.sh")
    first = rights_entrypoint((*gate, *run), Rights(reaper=before))
    body = {"Id": "abc", "Config": {"Entrypoint": first}, "HostConfig": {}}
    made = replica_body(body, "new", LIMITS, Rights(reaper=after), {})
    assert made["Entrypoint"] == [*gate, *(INIT if after else ()), *run]
    assert made["Labels"]["novadocker.reaper"] == str(after).lower()
