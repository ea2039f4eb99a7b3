# SPDX-License-Identifier: Apache-2.0
"""State of the container that serves, where the engine's list is late or an inspection hangs."""

from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.errors import EngineReplyLost
from novadocker.virt.docker.container.labels import LABEL_ROLE, RESCUE, container_name
from novadocker.virt.docker.container.serving import serving
from novadocker.virt.docker.engine import State
from novadocker.virt.docker.engine.calls.listing import Listed

UUID = "5a1c0000-0000-4000-8000-000000000001"
OWN, STAND_IN = container_name(UUID), container_name(UUID, rescue=True)


class FakeEngine:
    """An engine with a list, and with inspections that agree, differ or hang."""

    def __init__(self, listed: dict[str, State], inspected: dict[str, State] | None = None) -> None:
        self._listed, self._inspected = listed, inspected

    def listed(self, label: str) -> dict[str, Listed]:
        """Return the list."""
        labels = {OWN: {}, STAND_IN: {LABEL_ROLE: RESCUE}}
        return {name: Listed("1", labels[name], state) for name, state in self._listed.items()}

    def find(self, name: str, *, brief: bool) -> Any:
        """Inspect, or hang."""
        assert brief
        if self._inspected is None:
            raise EngineReplyLost(url="unix:///x", action="inspect", reason="time-out")
        state = self._inspected.get(name)
        return SimpleNamespace(id="1", state=state) if state else None


@pytest.mark.parametrize(
    ("listed", "inspected", "expected"),
    [
        ({OWN: State.RUNNING}, {OWN: State.EXITED}, State.EXITED),
        ({OWN: State.RUNNING}, {OWN: State.RUNNING}, State.RUNNING),
        ({OWN: State.RUNNING}, {}, None),
        ({}, {}, None),
        ({OWN: State.EXITED, STAND_IN: State.RUNNING}, {STAND_IN: State.EXITED}, State.EXITED),
        ({OWN: State.EXITED, STAND_IN: State.CREATED}, {OWN: State.EXITED}, State.EXITED),
        ({OWN: State.RUNNING}, None, State.RUNNING),
    ],
)
def test_the_state_is_the_inspections_and_else_the_lists(
    listed: dict[str, State], inspected: dict[str, State] | None, expected: State | None
) -> None:
    """An end that the list does not know yet is seen; a hanging inspection holds up nobody."""
    engine: Any = FakeEngine(listed, inspected)
    found = serving(engine, UUID)
    assert (found.state if found else None) is expected


def test_a_container_that_is_known_to_hang_is_not_inspected() -> None:
    """Nova asks for the state of all servers at its start, and each inspection costs seconds."""
    engine: Any = FakeEngine({OWN: State.RUNNING}, {OWN: State.EXITED})
    found = serving(engine, UUID, hangs=True)
    assert found
    assert found.state is State.RUNNING
