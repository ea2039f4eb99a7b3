# SPDX-License-Identifier: Apache-2.0
import importlib.metadata
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nova import exception, objects
from nova.network import model
from nova.virt import driver as nova_driver

import novadocker.virt.docker
from novadocker.virt.docker.compute.introspection import Introspection
from novadocker.virt.docker.compute.service import Service
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.driver import CONF, DockerDriver
from novadocker.virt.docker.translation import metadata
from tests.unit.virt.docker.nova_side import UUID, Life, Tags, VirtAPI, instance

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

NOVA = int(importlib.metadata.version("nova").partition(".")[0])
# Methods and parameters that the oldest Nova in ./test release does not have.
FIRST_WITH = {"process_instances_at_startup": 34, "share_info": 34}


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_a_method_takes_what_nova_gives_it(name: str) -> None:
    """Name, kind and default of each parameter are those of the Nova installed here."""
    if FIRST_WITH.get(name, NOVA) > NOVA:
        pytest.skip(f"Nova {NOVA} does not call {name}")
    novas = inspect.signature(getattr(BASE, name)).parameters
    ours = [
        each
        for each in inspect.signature(getattr(DockerDriver, name)).parameters.values()
        if each.name in novas or FIRST_WITH.get(each.name, NOVA) <= NOVA
    ]
    assert [(each.name, each.kind, each.default) for each in ours] == [
        (each.name, each.kind, each.default) for each in novas.values()
    ]


def test_what_is_promised_is_implemented() -> None:
    """None of these is left to Nova's base class, and no method has a name unknown to Nova."""
    assert set(OVERRIDDEN) >= PROMISED
    known = [name for name in OVERRIDDEN if FIRST_WITH.get(name, NOVA) <= NOVA]
    assert all(hasattr(BASE, name) for name in known)


def test_every_capability_is_known_to_nova() -> None:
    """No key of ours is new, and none of Nova's is missing."""
    assert set(DockerDriver.capabilities) == set(BASE.capabilities)


def test_capabilities_are_what_is_implemented() -> None:
    """The scheduler sends no server here that asks for more."""
    assert {name for name, has in DockerDriver.capabilities.items() if has} == {
        "has_imagecache",
        "supports_attach_interface",
        "supports_device_tagging",
        "supports_evacuate",
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
        (
            {"block_device_info": {"ephemerals": [{"guest_format": "xfs"}]}},
            "ephemeral format = xfs is refused",
        ),
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
