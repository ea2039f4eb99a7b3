# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace
from typing import Any

import pytest
from nova import objects
from nova.virt.driver import ComputeDriver

from novadocker.virt.docker.translation import startup
from tests.unit.virt.docker.nova_side import PORT, UUID, instance


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Nova's records: two instances of a host, of which one was evacuated; notes the questions."""
    asked: dict[str, Any] = {}

    def get_by_host(context: Any, host: str, expected_attrs: list[str]) -> list[Any]:
        asked["host"] = host
        return [instance(uuid=UUID), instance(uuid=PORT)]

    def get_by_filters(context: Any, filters: dict[str, Any]) -> list[Any]:
        asked["filters"], asked["deleted"] = filters, context.read_deleted
        return [SimpleNamespace(instance_uuid=PORT)]

    monkeypatch.setattr(objects.InstanceList, "get_by_host", get_by_host)
    monkeypatch.setattr(objects.MigrationList, "get_by_filters", get_by_filters)
    return asked


def test_an_evacuated_server_is_left_out(records: dict[str, Any]) -> None:
    """A server that runs on another host by now is not brought up here a second time."""
    context, found = startup.local_instances("h1")
    assert context.is_admin
    assert [each.uuid for each in found] == [UUID]
    assert records == {
        "host": "h1",
        "deleted": "yes",
        "filters": {
            "source_compute": "h1",
            "status": ["accepted", "pre-migrating", "done"],
            "migration_type": "evacuation",
        },
    }


@pytest.mark.parametrize("has", [True, False])
def test_a_nova_is_known_by_what_it_calls(monkeypatch: pytest.MonkeyPatch, has: bool) -> None:
    """Not by its version: distributions bring calls to older ones."""
    name = "process_instances_at_startup"
    if has:
        monkeypatch.setattr(ComputeDriver, name, lambda *_: None, raising=False)
    else:
        monkeypatch.delattr(ComputeDriver, name, raising=False)
    assert startup.nova_hands_over() is has
