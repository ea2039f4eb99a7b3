# SPDX-License-Identifier: Apache-2.0
"""Nova's calls of a live migration, without hosts."""

from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception
from nova.objects import migrate_data as nova_data

from novadocker.errors import CheckpointError, HandedOver, MoveAborted, TransferFailed
from novadocker.virt.docker.compute.live import calls
from novadocker.virt.docker.compute.live.calls import LiveCalls, is_of_a_container
from tests.unit.virt.docker.checkpoint.test_account import HOST
from tests.unit.virt.docker.nova_side import instance


class Driver(LiveCalls):
    """The calls, with parts that a test chooses."""

    def __init__(self, **parts: Any) -> None:
        self._parts: Any = SimpleNamespace(hostname="h1", **parts)


def _fail(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def _data() -> Any:
    arrivals = SimpleNamespace(account=lambda _: HOST)
    driver = Driver(live=SimpleNamespace(arrivals=arrivals))
    return driver.check_can_live_migrate_destination(None, instance(), {}, {})


def test_the_destination_gives_its_account_in_libvirts_object() -> None:
    """Nova cleans up after that class alone, if nothing is shared."""
    data = _data()
    assert isinstance(data, nova_data.LibvirtLiveMigrateData)
    assert not data.is_shared_instance_path
    assert not data.is_shared_block_storage
    assert is_of_a_container(data)
    told = calls._told(data)
    assert told["host"] == "h1"
    assert told["account"]["kernel"] == HOST.kernel


def test_a_machines_data_are_not_a_containers() -> None:
    """A file of libvirt has a plain name there."""
    assert not is_of_a_container(nova_data.LibvirtLiveMigrateData(filename="tmpx"))
    assert not is_of_a_container(nova_data.LibvirtLiveMigrateData())


def test_a_host_that_cannot_restore_refuses() -> None:
    """The reason reaches the event of the check."""
    arrivals = SimpleNamespace(account=_fail(CheckpointError(reason="no criu")))
    driver = Driver(live=SimpleNamespace(arrivals=arrivals))
    with pytest.raises(exception.MigrationPreCheckError, match="no criu"):
        driver.check_can_live_migrate_destination(None, instance(), {}, {})


def test_a_move_is_not_forced() -> None:
    """The refusal says that there is nothing to force."""
    with pytest.raises(exception.NovaException, match="frozen once"):
        Driver().live_migration_force_complete(instance())


class Recorder:
    """Nova's methods for the end of a move, and what was called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, send: Any) -> None:
        self.called: list[Any] = []
        monkeypatch.setattr(calls, "live_host", lambda *_: None)
        monkeypatch.setattr(calls, "forget_handover", lambda _: self.called.append("forget"))
        monkeypatch.setattr(calls.translation, "server", lambda moved: moved.uuid)
        monkeypatch.setattr(Driver, "_note", lambda *_: self.called.append("note"))
        live = SimpleNamespace(departures=SimpleNamespace(send_running=send))
        self.driver = Driver(
            live=live,
            channel=None,
            ports=SimpleNamespace(network_of=lambda *_: None),
            lifecycle=SimpleNamespace(remove=lambda *_: self.called.append("remove")),
            handovers=SimpleNamespace(remember=lambda _: self.called.append("remember")),
        )

    def run(self) -> None:
        """Call the driver as Nova does."""
        moved = instance()
        moved.get_network_info = list
        self.driver.live_migration(
            None,
            moved,
            "h2",
            lambda *_: self.called.append("post"),
            lambda *_, **named: self.called.append(named.get("migration_status", "failed")),
            migrate_data=SimpleNamespace(migration=SimpleNamespace(uuid="m1")),
        )


def test_a_move_that_took_place_is_finished_by_nova(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Nova leaves of the frozen copy goes then."""
    recorder = Recorder(monkeypatch, lambda *_: None)
    recorder.run()
    assert recorder.called == ["post", "remove", "forget"]


@pytest.mark.parametrize(
    ("error", "called"),
    [
        (MoveAborted(), ["cancelled"]),
        (TransferFailed(reason="cut"), ["note", "failed"]),
        (CheckpointError(reason="io"), ["note", "failed"]),
    ],
)
def test_a_move_that_failed_is_rolled_back(
    monkeypatch: pytest.MonkeyPatch, error: Exception, called: list[str]
) -> None:
    """The server runs on, and Nova takes its own part back."""
    recorder = Recorder(monkeypatch, _fail(error))
    recorder.run()
    assert recorder.called == called


def test_an_open_handover_is_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nova may neither finish nor roll back while nobody knows where the server runs."""
    recorder = Recorder(monkeypatch, _fail(HandedOver(host="h2")))
    with pytest.raises(HandedOver):
        recorder.run()
    assert recorder.called == ["remember"]
