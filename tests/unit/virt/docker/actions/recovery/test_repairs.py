# SPDX-License-Identifier: Apache-2.0
import os
from typing import Any

import pytest

from novadocker.gate.start_gate import process_is_at_gate
from novadocker.virt.docker import translation
from novadocker.virt.docker.actions.recovery.repairs import Expected, Repair, repair_of
from novadocker.virt.docker.engine import Container, State
from tests.unit.virt.docker.nova_side import instance


def container(state: State) -> Container:
    """Return a container in a state."""
    return Container("id", "nova-1", {}, state)


@pytest.mark.parametrize(
    ("expected", "state", "held", "repair"),
    [
        (Expected.AWAKE, State.PAUSED, False, Repair.THAW),
        (Expected.AWAKE, State.RUNNING, False, Repair.NOTHING),
        (Expected.AWAKE, State.RUNNING, True, Repair.NOTHING),  # plug_vifs lets it go
        (Expected.AWAKE, State.CREATED, False, Repair.NOTHING),
        (Expected.AWAKE, State.EXITED, False, Repair.NOTHING),
        (Expected.UNBUILT, State.CREATED, False, Repair.REMOVE),
        (Expected.UNBUILT, State.RUNNING, True, Repair.REMOVE),
        (Expected.UNBUILT, State.RUNNING, False, Repair.NOTHING),
        (Expected.UNBUILT, State.EXITED, False, Repair.NOTHING),
        (Expected.UNBUILT, State.PAUSED, False, Repair.NOTHING),
        (Expected.OTHER, State.PAUSED, False, Repair.NOTHING),
        (Expected.OTHER, State.CREATED, False, Repair.NOTHING),
        (Expected.OTHER, State.RUNNING, True, Repair.NOTHING),
    ],
)
def test_only_what_nova_cannot_see_is_repaired(
    expected: Expected, state: State, held: bool, repair: Repair
) -> None:
    """What has run is never removed, and a pause that Nova knows of stays."""
    assert repair_of(expected, container(state), held=held) is repair


@pytest.mark.parametrize("expected", list(Expected))
def test_a_lost_container_is_not_repaired(expected: Expected) -> None:
    """Nova reports it."""
    assert repair_of(expected, None, held=False) is Repair.NOTHING


@pytest.mark.parametrize(
    ("vm_state", "task_state", "expected"),
    [
        ("building", None, Expected.UNBUILT),
        ("building", "scheduling", Expected.UNBUILT),
        ("building", "block_device_mapping", Expected.UNBUILT),
        ("building", "networking", Expected.UNBUILT),
        ("building", "spawning", Expected.UNBUILT),
        ("shelved_offloaded", "spawning", Expected.UNBUILT),
        ("active", "rebuild_block_device_mapping", Expected.UNBUILT),
        ("stopped", "rebuild_spawning", Expected.UNBUILT),
        ("error", "rebuild_spawning", Expected.OTHER),
        ("error", "spawning", Expected.OTHER),
        ("active", "rebuilding", Expected.AWAKE),
        ("stopped", "rebuilding", Expected.OTHER),
        ("active", None, Expected.AWAKE),
        ("active", "image_snapshot", Expected.AWAKE),
        ("active", "pausing", Expected.AWAKE),
        ("paused", None, Expected.OTHER),
        ("paused", "unpausing", Expected.OTHER),
        ("stopped", "powering-on", Expected.OTHER),
        ("rescued", None, Expected.OTHER),
        ("soft-delete", None, Expected.OTHER),
    ],
)
def test_a_record_says_what_to_expect(
    vm_state: str, task_state: str | None, expected: Expected
) -> None:
    """As Nova itself reads it when it starts."""
    it: Any = instance(vm_state=vm_state, task_state=task_state)
    assert translation.expected_at_start(it) is expected


def test_what_is_no_gate_is_not_held() -> None:
    """Neither another program nor one that has ended."""
    assert not process_is_at_gate(os.getpid())
    assert not process_is_at_gate(2**22 + 1)
