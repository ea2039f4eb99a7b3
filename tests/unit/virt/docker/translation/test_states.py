# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from nova import objects
from nova.compute import power_state, vm_states

from novadocker.virt.docker import translation
from novadocker.virt.docker.translation import states
from tests.unit.virt.docker.nova_side import UUID, instance


@pytest.mark.parametrize(
    ("changes", "recorded"),
    [
        ({}, True),
        ({"vm_state": vm_states.STOPPED}, True),
        ({"system_metadata": {"image_container_format": "docker"}}, True),
        ({"system_metadata": {"image_container_format": "bare"}}, False),  # a machine of before
        ({"host": "h2"}, False),  # evacuated, or moved
        ({"vm_state": vm_states.SHELVED_OFFLOADED, "host": None}, False),
        ({"vm_state": vm_states.ERROR}, False),
        ({"task_state": "rebooting_hard"}, False),  # which fails by itself, and says why
    ],
)
def test_a_lost_container_becomes_an_error_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], recorded: bool
) -> None:
    """A server of this host that should have a container is shown in ERROR, with its fault."""
    saved: list[dict[str, Any]] = []
    faults: list[str] = []
    found = instance(power_state=power_state.RUNNING, **changes)
    monkeypatch.setattr(objects.Instance, "get_by_uuid", lambda *_: found)
    monkeypatch.setattr(objects.Instance, "save", lambda _, **expected: saved.append(expected))
    monkeypatch.setattr(
        states.compute_utils, "add_instance_fault_from_exc", lambda *a: faults.append(str(a[2]))
    )
    before = found.vm_state
    translation.report_lost(UUID, "h1")
    assert (len(saved), len(faults)) == (int(recorded), int(recorded))
    if recorded:
        assert (found.vm_state, found.power_state) == (vm_states.ERROR, power_state.NOSTATE)
        assert saved == [{"expected_vm_state": [before], "expected_task_state": [None]}]
        assert "rebuild the server, or delete it" in faults[0]
