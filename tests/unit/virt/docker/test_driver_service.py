# SPDX-License-Identifier: Apache-2.0
"""Host-level calls of the driver: start, inventory, news, list of servers."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from nova import exception, objects
from nova.compute import power_state, provider_tree
from nova.network import model
from nova.virt import event as nova_event

from novadocker.errors import WiringError
from novadocker.virt.docker import translation
from novadocker.virt.docker.compute import service
from novadocker.virt.docker.compute.assembly import assemble
from novadocker.virt.docker.driver import CONF
from novadocker.virt.docker.engine import State
from novadocker.virt.docker.engine.calls.listing import Listed
from novadocker.virt.docker.host import processor
from tests.unit.virt.docker.nova_side import PORT, UUID, Life, VirtAPI, instance, with_parts


class FakeEngine:
    """An engine with containers in given states."""

    def __init__(self, **states: State) -> None:
        """Take states by instance id."""
        self._states = states

    def labels_by_name(self, label: str) -> dict[str, dict[str, str]]:
        """List them."""
        assert label == "novadocker.host=h1"
        return {f"nova-{uuid}": {"novadocker.instance": uuid} for uuid in self._states}

    def listed(self, label: str) -> dict[str, Listed]:
        """List those of one instance with their states."""
        uuid = label.removeprefix("novadocker.instance=")
        if uuid not in self._states:
            return {}
        labels = {"novadocker.instance": uuid}
        return {f"nova-{uuid}": Listed(f"id-{uuid}", labels, self._states[uuid])}

    def find(self, name: str, *, brief: bool) -> Any:
        """Inspect one."""
        assert brief
        uuid = name.removeprefix("nova-")
        return SimpleNamespace(id=f"id-{uuid}", state=self._states[uuid])


def test_instances_are_found_by_label(docker_driver: Any) -> None:
    """Names and ids of the containers that carry this host's label."""
    with_parts(docker_driver, engine=FakeEngine(b=State.RUNNING, a=State.EXITED))
    assert docker_driver.list_instances() == ["nova-a", "nova-b"]
    assert docker_driver.list_instance_uuids() == ["a", "b"]


@pytest.mark.parametrize(
    ("state", "power"),
    [
        (State.CREATED, power_state.SHUTDOWN),
        (State.RUNNING, power_state.RUNNING),
        (State.PAUSED, power_state.PAUSED),
        (State.EXITED, power_state.SHUTDOWN),
        (State.DEAD, power_state.SHUTDOWN),
    ],
)
def test_a_containers_state_is_a_power_state(docker_driver: Any, state: State, power: int) -> None:
    """Its id is the engine's."""
    with_parts(docker_driver, engine=FakeEngine(**{UUID: state}))
    info = docker_driver.get_info(instance())
    assert (info.state, info.internal_id) == (power, f"id-{UUID}")


def test_a_server_whose_repair_hangs_is_not_inspected(docker_driver: Any) -> None:
    """Nova asks for the state of each server at its start, where an inspection costs seconds."""
    engine: Any = FakeEngine(**{UUID: State.RUNNING})
    engine.find = None
    with_parts(docker_driver, engine=engine, repairs=SimpleNamespace(hangs=lambda _: True))
    assert docker_driver.get_info(instance()).state == power_state.RUNNING


def test_an_instance_without_a_container_is_not_found(docker_driver: Any) -> None:
    """Nova knows what to do about that."""
    with_parts(docker_driver, engine=FakeEngine())
    with pytest.raises(exception.InstanceNotFound, match=UUID):
        docker_driver.get_info(instance())


def test_news_reach_nova(docker_driver: Any) -> None:
    """A container that ended is an event that Nova synchronizes the server by."""
    heard: list[Any] = []
    docker_driver.register_event_listener(heard.append)
    docker_driver._tell_nova(UUID, State.EXITED)
    assert [(each.get_instance_uuid(), each.get_transition()) for each in heard] == [
        (UUID, nova_event.EVENT_LIFECYCLE_STOPPED)
    ]


@pytest.mark.parametrize(
    "fault", [WiringError(port="p1", reason="Invalid argument"), OSError(28, "full"), KeyError(4)]
)
def test_no_server_keeps_nova_compute_from_starting(
    docker_driver: Any, life: Life, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """Nova's start of the service ends by an exception of plug_vifs, whatever its class."""
    life.fault = fault
    cache = objects.InstanceInfoCache(network_info=model.NetworkInfo([]))
    docker_driver.plug_vifs(instance(info_cache=cache), model.NetworkInfo([]))
    assert caplog.text.count(f"of server {UUID}: {type(fault).__name__}") == 1


def test_repairs_at_the_start_go_on_past_a_server_that_fails(
    docker_driver: Any, life: Life
) -> None:
    """Each instance is tried, and Nova gets all of them to start."""
    life.fault = OSError(5, "no directory")
    cache = objects.InstanceInfoCache(network_info=model.NetworkInfo([]))
    found = [instance(uuid=uuid, info_cache=cache) for uuid in (UUID, PORT)]
    with_parts(docker_driver, wiring=SimpleNamespace(resume=lambda: None))
    assert docker_driver.process_instances_at_startup(None, found) == found
    assert {call.uuid for call in life.calls} == {UUID, PORT}


@pytest.mark.parametrize("there", [True, False])
def test_a_container_lost_while_nova_compute_was_away_is_recorded(
    docker_driver: Any, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """No event will tell of it, and Nova leaves such a server ACTIVE at its start."""
    lost: list[tuple[Any, str]] = []
    monkeypatch.setattr(translation, "record_lost", lambda *arguments: lost.append(arguments))
    cache = objects.InstanceInfoCache(network_info=model.NetworkInfo([]))
    found = instance(info_cache=cache)
    with_parts(
        docker_driver,
        recovery=SimpleNamespace(at_start=lambda *_: there),
        wiring=SimpleNamespace(resume=lambda: None),
    )
    docker_driver.process_instances_at_startup(None, [found])
    assert lost == ([] if there else [(found, "h1")])


@pytest.mark.parametrize("gone", [True, False])
def test_files_of_a_deleted_server_are_removed_by_novas_periodic_task(
    docker_driver: Any, life: Life, gone: bool
) -> None:
    """Nova asks again for files that could not be removed; its turn goes on."""
    life.fault = None if gone else OSError(16, "busy")
    docker_driver.delete_instance_files(instance())
    assert [call.action for call in life.calls] == ["Lifecycle.remove_files"]


def test_a_container_that_is_gone_is_recorded(
    docker_driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nova has no event for that, and would show the server as ACTIVE for ever."""
    lost: list[tuple[str, str]] = []
    monkeypatch.setattr(translation, "report_lost", lambda *arguments: lost.append(arguments))
    docker_driver._tell_nova(UUID, None)
    assert lost == [(UUID, "h1")]


class FakeHost:
    """A host with something to give."""

    def inventory(self, ratios: Any, reserved: Any) -> dict[str, Any]:
        """Return what was handed in where it belongs."""
        keys = {"min_unit": 1, "max_unit": 2, "step_size": 1, "total": 2}
        return {
            "VCPU": {**keys, "allocation_ratio": ratios.cpu, "reserved": reserved.cpus},
            "DISK_GB": {**keys, "allocation_ratio": ratios.disk, "reserved": reserved.disk_gib},
        }

    def traits(self, runtimes: Any, published: Any) -> dict[str, bool]:
        """Return one trait that the host has and two that it lost."""
        former = [each for each in published if each.startswith("CUSTOM_DOCKER_RUNTIME_")]
        return {
            "CUSTOM_DOCKER": True,
            **dict.fromkeys(("CUSTOM_DOCKER_DISK_LIMIT", *former), False),
        }


def test_placement_is_told_what_the_host_has(
    docker_driver: Any, option: Callable[[str, Any], None]
) -> None:
    """Ratios and reserves are Nova's own options."""
    option("cpu_allocation_ratio", 2.0)
    option("reserved_host_cpus", 1)
    option("reserved_host_disk_mb", 2048)
    with_parts(docker_driver, host=FakeHost())
    tree = provider_tree.ProviderTree()
    tree.new_root("h1", UUID)
    tree.add_traits("h1", "CUSTOM_DOCKER_DISK_LIMIT", "CUSTOM_OF_THE_OPERATOR")
    tree.add_traits("h1", "CUSTOM_DOCKER_RUNTIME_RUNSC")
    docker_driver.update_provider_tree(tree, "h1")
    told = tree.data("h1")
    assert told.inventory["VCPU"]["allocation_ratio"] == 2.0
    assert told.inventory["VCPU"]["reserved"] == 1
    assert told.inventory["DISK_GB"]["reserved"] == 2
    processors = {name for name, has in processor.traits().items() if has}
    assert told.traits == {"CUSTOM_DOCKER", "CUSTOM_OF_THE_OPERATOR", *processors}


def test_options_come_from_nova_conf(
    virtapi: VirtAPI, tmp_path: Path, option: Callable[..., None]
) -> None:
    """The assembly reads Nova's own options and those in [docker]."""
    option("instances_path", str(tmp_path))
    option("pids_limit", 77, "docker")
    parts = assemble(CONF, virtapi)
    assert parts.runner.directory(UUID).path == tmp_path / UUID
    assert parts.hostname == CONF.host


@pytest.mark.parametrize("hands_over", [True, False])
def test_repairs_come_at_the_start_of_every_nova(
    docker_driver: Any, monkeypatch: pytest.MonkeyPatch, hands_over: bool
) -> None:
    """Nova 33 does not call with its instances, so the driver looks for them itself, once."""
    repaired: list[Any] = []
    quiet = mock.Mock()
    with_parts(
        docker_driver,
        images=quiet,
        wiring=quiet,
        allowance=quiet,
        audit=quiet,
        snapshots=quiet,
        metrics=quiet,
        channel=quiet,
    )
    monkeypatch.setattr(service.suitability, "check", quiet)
    monkeypatch.setattr(service.options, "refuse_unusable", quiet)
    monkeypatch.setattr(translation, "nova_hands_over", lambda: hands_over)
    monkeypatch.setattr(translation, "local_instances", lambda host: ("context", [host]))
    monkeypatch.setattr(
        docker_driver, "process_instances_at_startup", lambda *given: repaired.append(given)
    )
    docker_driver.init_host("h1")
    assert repaired == ([] if hands_over else [("context", ["h1"])])
