# SPDX-License-Identifier: Apache-2.0
"""Timed actions: figures, and a line in the log for each."""

from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.errors import EngineUnavailable
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.compute.timing import ACTIONS
from novadocker.virt.docker.driver import DockerDriver
from novadocker.virt.docker.telemetry.action import all_timed, timed
from novadocker.virt.docker.telemetry.figures import REGISTRY

SERVER = SimpleNamespace(uuid="u1", vm_state="active")


def sample(name: str, **labels: str) -> float:
    """Return a figure, or 0 without one."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@all_timed({"act": "testing"})
class Driver:
    """Driver with one call."""

    def act(self, context: Any, instance: Any, *, fault: Exception | None = None) -> str:
        """Fail as told, or mark a part."""
        if fault:
            raise RuntimeError from fault
        Stopwatch().mark("half")
        return "done"


def test_a_call_is_told_with_its_parts(caplog: pytest.LogCaptureFixture) -> None:
    """Marks of a stopwatch are parts of the action in whose thread they are made."""
    done, part = "novadocker_action_seconds_count", "novadocker_action_part_seconds_count"
    before = sample(done, action="testing", outcome="done")
    parts = sample(part, action="testing", part="half")
    with caplog.at_level("INFO"):
        assert Driver().act(None, instance=SERVER) == "done"
    assert sample(done, action="testing", outcome="done") == before + 1
    assert sample(part, action="testing", part="half") == parts + 1
    (line,) = caplog.messages
    assert line.startswith("Testing of nova-u1 took, in seconds: half=0.")
    assert "rest=0." in line


def test_a_failed_call_is_counted_by_the_drivers_error(caplog: pytest.LogCaptureFixture) -> None:
    """Nova's error is named by its cause, and the call still fails."""
    labels = {"action": "testing", "kind": "EngineUnavailable"}
    before = sample("novadocker_faults_total", **labels)
    with caplog.at_level("INFO"), pytest.raises(RuntimeError):
        Driver().act(None, SERVER, fault=EngineUnavailable(url="unix:///x", reason="gone"))
    assert sample("novadocker_faults_total", **labels) == before + 1
    assert "Testing of nova-u1 failed after" in caplog.text
    assert "took" not in caplog.text


def test_an_action_within_another_is_a_part_of_it(caplog: pytest.LogCaptureFixture) -> None:
    """A start that Nova's reboot asks for is told once, by the outer name."""
    with caplog.at_level("INFO"), timed("outer", "u1"), timed("inner", "u1"):
        pass
    assert ["Outer" in line for line in caplog.messages] == [True]


def test_a_stopwatch_outside_of_actions_only_counts() -> None:
    """Repairs at the start of nova-compute are nobody's action."""
    watch = Stopwatch()
    watch.mark("half")
    assert list(watch.parts) == ["half"]


@pytest.mark.parametrize("method", ACTIONS)
def test_the_driver_times_its_calls(method: str) -> None:
    """Each method of the table is wrapped, and keeps the signature that Nova looks at."""
    assert getattr(DockerDriver, method).__wrapped__.__name__ == method
