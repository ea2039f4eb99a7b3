# SPDX-License-Identifier: Apache-2.0
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception, objects
from nova.compute import power_state, provider_tree
from nova.network import model
from nova.virt import driver as nova_driver
from nova.virt import event as nova_event

import novadocker.virt.docker
from novadocker.errors import WiringError
from novadocker.virt.docker import translation
from novadocker.virt.docker.compute.assembly import assemble
from novadocker.virt.docker.compute.introspection import Introspection
from novadocker.virt.docker.compute.service import Service
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.driver import CONF, DockerDriver
from novadocker.virt.docker.engine import State
from novadocker.virt.docker.engine.calls.listing import Listed
from novadocker.virt.docker.host import processor
from novadocker.virt.docker.translation import metadata
from tests.unit.virt.docker.nova_side import PORT, UUID, Life, Tags, VirtAPI, instance, with_parts

BASE = nova_driver.ComputeDriver


OVERRIDDEN = sorted(
    name
    for each in (DockerDriver, Service, Introspection)
    for name, value in vars(each).items()
    if callable(value) and not name.startswith("_")
)


# What issue after issue of this driver promises; Nova's base class raises or warns for each.
PROMISED = {
    "cache_image",
    "cleanup",
    "delete_instance_files",
    "destroy",
    "get_available_nodes",
    "get_available_resource",
    "get_console_output",
    "get_host_ip_addr",
    "get_info",
    "init_host",
    "list_instance_uuids",
    "list_instances",
    "manage_image_cache",
    "pause",
    "plug_vifs",
    "power_off",
    "power_on",
    "process_instances_at_startup",
    "reboot",
    "rebuild",
    "rescue",
    "resume_state_on_host_boot",
    "snapshot",
    "spawn",
    "unpause",
    "unplug_vifs",
    "unrescue",
    "update_provider_tree",
}


# Nova's interface


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_a_method_takes_what_nova_gives_it(name: str) -> None:
    """Name, kind and default of each parameter are those of the Nova installed here."""
    ours = inspect.signature(getattr(DockerDriver, name)).parameters.values()
    novas = inspect.signature(getattr(BASE, name)).parameters.values()
    assert [(each.name, each.kind, each.default) for each in ours] == [
        (each.name, each.kind, each.default) for each in novas
    ]


def test_what_is_promised_is_implemented() -> None:
    """None of these is left to Nova's base class, and no method has a name unknown to Nova."""
    assert set(OVERRIDDEN) >= PROMISED
    assert all(hasattr(BASE, name) for name in OVERRIDDEN)


def test_every_capability_is_known_to_nova() -> None:
    """No key of ours is new, and none of Nova's is missing."""
    assert set(DockerDriver.capabilities) == set(BASE.capabilities)


def test_capabilities_are_what_is_implemented() -> None:
    """The scheduler sends no server here that asks for more."""
    assert {name for name, has in DockerDriver.capabilities.items() if has} == {
        "has_imagecache",
        "supports_attach_interface",
        "supports_device_tagging",
        "supports_extend_volume",
        "supports_image_type_raw",
        "supports_multiattach",
        "supports_tagged_attach_interface",
        "supports_tagged_attach_volume",
    }


def test_the_package_gives_the_class() -> None:
    """It is imported when it is asked for, under the name in nova.conf; nothing else is there."""
    assert novadocker.virt.docker.DockerDriver is DockerDriver
    with pytest.raises(AttributeError, match="VmDriver"):
        _ = novadocker.virt.docker.VmDriver


def test_a_driver_is_made_without_an_engine(virtapi: VirtAPI, option: Callable[..., None]) -> None:
    """Nova makes a driver before it starts the driver: no engine is asked before a call."""
    option("host_url", "unix:///nonexistent/docker.sock", "docker")
    made = DockerDriver(virtapi)
    assert made.get_available_nodes() == [CONF.host]
    with pytest.raises(exception.HypervisorUnavailable):
        made.get_info(instance())


@pytest.mark.parametrize(
    ("kind", "metadata", "expected"),
    [
        ("HARD", {}, 0),
        ("HARD", {"image_os_shutdown_timeout": "7"}, 0),
        ("SOFT", {}, 60),
        ("SOFT", {"image_os_shutdown_timeout": "7"}, 7),
    ],
)
def test_a_soft_reboot_gives_time(
    docker_driver: Any, life: Life, kind: str, metadata: dict[str, str], expected: int
) -> None:
    """As long as the image says, else as nova.conf does; a hard one gives none."""
    docker_driver.reboot(None, instance(system_metadata=metadata), [], kind)
    (call,) = life.calls
    assert (call.action, call.server.uuid, call.timeout) == ("Lifecycle.restart", UUID, expected)


def test_each_call_of_novas_is_one_operation(docker_driver: Any, life: Life) -> None:
    """Nothing is done in between."""
    network = model.NetworkInfo([])
    it = instance(info_cache=objects.InstanceInfoCache(network_info=network))
    docker_driver.spawn(None, it, it.image_meta, [], None, {}, network)
    docker_driver.power_on(None, it, network)
    docker_driver.power_off(it, timeout=9)
    docker_driver.resume_state_on_host_boot(None, it, network, None)
    docker_driver.plug_vifs(it, network)
    docker_driver.destroy(None, it, network)
    assert [call[0] for call in life.calls] == [
        "Lifecycle.boot",
        "Lifecycle.start",
        "Lifecycle.stop",
        "Lifecycle.start",
        "Interfaces.repair",
        "Lifecycle.remove",
    ]
    assert (life.calls[2].uuid, life.calls[2].timeout) == (UUID, 9)


@pytest.mark.parametrize("power_on", [True, False])
def test_a_server_can_be_built_powered_off(docker_driver: Any, life: Life, power_on: bool) -> None:
    """Nova asks for it when it unshelves or resizes a server that was off."""
    it = instance()
    docker_driver.spawn(None, it, it.image_meta, [], None, {}, [], power_on=power_on)
    assert life.calls[0].power_on is power_on


@pytest.mark.parametrize(("destroy_vifs", "left"), [(True, ["vif"]), (False, [])])
def test_cleanup_leaves_the_ports_that_nova_keeps(
    docker_driver: Any, life: Life, destroy_vifs: bool, left: list[str]
) -> None:
    """Everything of the container goes, the ports as Nova says."""
    docker_driver.cleanup(None, instance(), ["vif"], destroy_vifs=destroy_vifs)
    (call,) = life.calls
    assert (call.action, call.uuid, call.network.info) == ("Lifecycle.remove", UUID, left)


def test_ports_are_not_asked_for_before_they_are_needed(docker_driver: Any, life: Life) -> None:
    """Touching network_info waits for Neutron, while image and container can be made."""

    class Unready(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            raise AssertionError("too early")

        __len__ = __bool__ = __iter__  # type: ignore[assignment]

    it = instance()
    docker_driver.spawn(None, it, it.image_meta, [], None, {}, Unready())
    assert life.calls


# The service


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


def test_a_server_is_what_boot_gets(docker_driver: Any, life: Life) -> None:
    """Plain values, not Nova's objects, from there on."""
    it = instance()
    docker_driver.spawn(None, it, it.image_meta, [], None, {}, [])
    assert isinstance(life.calls[0].server, Server)


def test_tags_are_told_before_the_first_instruction(
    docker_driver: Any, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Neutron has not yet reported the ports, so that it costs a boot nothing."""
    told: list[Any] = []
    monkeypatch.setattr(metadata, "describe_devices", lambda *arguments: told.append(arguments))
    it = instance()
    docker_driver.spawn("context", it, it.image_meta, [], None, {}, [])
    assert not told
    life.calls[0].while_waiting()
    assert told == [("context", it)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"block_device_info": {"ephemerals": [{}]}}, "ephemerals = 1"),
        ({"injected_files": [("/etc/hosts", b"")]}, "personality file = '/etc/hosts' is refused"),
    ],
)
def test_what_a_container_cannot_have_ends_the_build(
    docker_driver: Any, asked: dict[str, Any], said: str
) -> None:
    """Before anything is made of it."""
    arguments = {"injected_files": [], "block_device_info": None} | asked
    with pytest.raises(exception.BuildAbortException, match=said):
        docker_driver.spawn(
            None, instance(), None, admin_password=None, allocations=None, **arguments
        )


def rights_of(tags: Tags) -> set[str]:
    """Return the tags that tell of rights."""
    return {tag for tag in tags.tags if tag.startswith(("docker_profile=", "docker_cap="))}


def test_rights_are_told_by_tags(
    docker_driver: Any, life: Life, tags: Tags, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile, and what the flavor adds to it; a resize changes them, its tenant's stay."""
    monkeypatch.setattr(metadata, "describe_devices", lambda *_: None)
    it = instance()
    it.flavor.extra_specs = {"docker:cap_add": "NET_ADMIN"}
    docker_driver.spawn("context", it, it.image_meta, [], None, {}, [])
    assert rights_of(tags) == set()
    life.calls[0].while_waiting()
    assert rights_of(tags) == {"docker_profile=baseline", "docker_cap=NET_ADMIN"}
    it.flavor.extra_specs = {"docker:profile": "system"}
    docker_driver.finish_migration(None, None, it, "", [], it.image_meta, True, {})
    assert "docker_profile=system" in rights_of(tags)
    assert "docker_profile=baseline" not in tags.tags
    assert "mine" in tags.tags


def test_a_server_is_not_given_up_for_a_tag(
    docker_driver: Any, life: Life, tags: Tags, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nova's database may be away just then."""
    monkeypatch.setattr(metadata, "describe_devices", lambda *_: None)
    tags.fault = LookupError("away")
    it = instance()
    docker_driver.spawn("context", it, it.image_meta, [], None, {}, [])
    life.calls[0].while_waiting()
    assert tags.tags == {"mine"}
