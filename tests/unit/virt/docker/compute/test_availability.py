# SPDX-License-Identifier: Apache-2.0
"""Compute service that follows the engine."""

import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception, objects

from novadocker.errors import EngineUnavailable
from novadocker.virt.docker.compute.availability import Availability

GONE = EngineUnavailable(url="unix:///x", reason="no such file")


class Nova:
    """Nova's record of one service, and Placement's of one host."""

    def __init__(self, *, disabled: bool = False, reason: str | None = None) -> None:
        """Begin with a service."""
        self.disabled = disabled
        self.disabled_reason = reason
        self.told: list[bool] = []

    def save(self) -> None:
        """Save the record."""

    def update_compute_provider_status(self, context: Any, uuid: str, enabled: bool) -> None:
        """Note what Placement is told."""
        self.told.append(enabled)


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return how to have a record in Nova."""

    def have(nova: Nova) -> Nova:
        nodes = [SimpleNamespace(uuid="n1")]
        monkeypatch.setattr(objects.Service, "get_by_compute_host", lambda *_: nova)
        monkeypatch.setattr(objects.ComputeNodeList, "get_all_by_host", lambda *_: nodes)
        return nova

    return have


def _ask(nova: Nova, fault: Exception | None = None) -> None:
    with Availability(nova, "h1").follows_engine():
        if fault:
            raise fault


def test_a_host_without_an_engine_gets_no_servers(records: Any) -> None:
    """A service is disabled with the reason, once, and the fault is raised on."""
    nova = records(Nova())
    for _ in range(2):
        with pytest.raises(EngineUnavailable):
            _ask(nova, GONE)
    assert nova.disabled
    assert nova.disabled_reason.startswith("AUTO: The Docker Engine at unix:///x cannot be reached")
    assert nova.told == [False]


def test_an_engine_that_is_back_enables_what_was_disabled_for_it(records: Any) -> None:
    """A service that the driver disabled is enabled by the engine's next answer."""
    nova = records(Nova(disabled=True, reason="AUTO: gone"))
    _ask(nova)
    assert (nova.disabled, nova.disabled_reason, nova.told) == (False, None, [True])


@pytest.mark.parametrize("fault", [None, GONE])
def test_an_operators_choice_stays(records: Any, fault: Exception | None) -> None:
    """A service that an operator disabled is neither enabled nor given another reason."""
    nova = records(Nova(disabled=True, reason="new memory"))
    with contextlib.suppress(EngineUnavailable):
        _ask(nova, fault)
    assert (nova.disabled, nova.disabled_reason, nova.told) == (True, "new memory", [])


def test_other_faults_disable_nothing(records: Any) -> None:
    """A fault of another kind leaves the service enabled."""
    nova = records(Nova())
    with pytest.raises(OSError, match="disk"):
        _ask(nova, OSError(5, "disk"))
    assert not nova.disabled


def test_a_record_that_cannot_be_written_ends_nothing(
    records: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure of Nova's database is logged alone; an unknown service is no failure."""
    nova = records(Nova())
    for fault in (RuntimeError("database"), exception.ComputeHostNotFound(host="h1")):

        def fail(*_: Any, fault: Exception = fault) -> Any:
            raise fault

        monkeypatch.setattr(objects.Service, "get_by_compute_host", fail)
        _ask(nova)
    assert caplog.text.count("is not enabled or disabled") == 1
