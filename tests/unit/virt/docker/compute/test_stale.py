# SPDX-License-Identifier: Apache-2.0
"""Containers that abandoned moves left, at the start of nova-compute."""

from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception, objects

from novadocker.errors import EngineUnavailable
from novadocker.virt.docker.actions.lifecycle import Lifecycle
from novadocker.virt.docker.compute.stale import StaleArrivals
from novadocker.virt.docker.container.labels import LABEL_INSTANCE, LABEL_MOVE
from tests.unit.virt.docker.nova_side import UUID, Life

MIGRATION = "8dd5b2c2-0c8a-4a9c-9a53-2a4c0c3a7d11"


@pytest.fixture
def found() -> dict[str, dict[str, str]]:
    """Return the labels of the containers on the host, one of which came by a migration."""
    return {
        "nova-1": {LABEL_INSTANCE: UUID, LABEL_MOVE: MIGRATION},
        "nova-2": {LABEL_INSTANCE: "2"},
    }


def _remove(life: Life, found: Any, *here: str, alive: bool = False) -> list[str]:
    def labels_by_name(_: str) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    container = SimpleNamespace(alive=alive, id="0" * 64)
    engine: Any = SimpleNamespace(labels_by_name=labels_by_name, find=lambda _: container)
    StaleArrivals(engine, life.of(Lifecycle), "h2").remove(None, set(here))
    return [call.uuid for call in life.calls]


@pytest.fixture
def nova(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return Nova's records of migrations, of which a test changes parts."""
    records = SimpleNamespace(status="error", destination="h2", later=[], known=True)

    def by_uuid(*_: Any) -> Any:
        if not records.known:
            raise exception.MigrationNotFound(migration_id=MIGRATION)
        return SimpleNamespace(id=1, status=records.status, dest_compute=records.destination)

    monkeypatch.setattr(objects.Migration, "get_by_uuid", by_uuid)
    monkeypatch.setattr(objects.MigrationList, "get_by_filters", lambda *_: records.later)
    return records


def test_the_container_of_a_failed_move_is_removed(
    life: Life, nova: Any, found: dict[str, dict[str, str]]
) -> None:
    """A container whose migration failed and whose server is elsewhere goes at the next start."""
    assert _remove(life, found) == [UUID]


def test_a_container_that_runs_stays(
    life: Life, nova: Any, found: dict[str, dict[str, str]]
) -> None:
    """A server handed over by a source that died afterwards runs here alone, whatever Nova says."""
    assert _remove(life, found, alive=True) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "finished"},
        {"status": "confirmed"},
        {"status": "migrating"},
        {"destination": "h3"},
        {"later": [SimpleNamespace(id=2)]},
        {"known": False},
    ],
)
def test_a_container_that_may_be_the_only_copy_stays(
    life: Life, nova: Any, found: dict[str, dict[str, str]], changes: dict[str, Any]
) -> None:
    """A container stays unless its own migration failed and no later one began here."""
    vars(nova).update(changes)
    assert _remove(life, found) == []


def test_the_container_of_a_server_of_this_host_stays(
    life: Life, nova: Any, found: dict[str, dict[str, str]]
) -> None:
    """A server that Nova has on this host keeps its container, whatever its migration says."""
    assert _remove(life, found, UUID) == []


def test_an_engine_without_an_answer_does_not_end_the_start(
    life: Life, nova: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A start of nova-compute goes on without the search, and the log tells."""
    assert _remove(life, EngineUnavailable(url="unix:///x", reason="gone")) == []
    assert "abandoned moves are not looked for" in caplog.text
