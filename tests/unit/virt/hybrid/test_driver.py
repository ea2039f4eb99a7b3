# SPDX-License-Identifier: Apache-2.0
"""Calls of a hybrid host, before drivers that note what reaches them."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception
from nova.compute.provider_tree import ProviderTree
from nova.virt import driver as nova_driver

from novadocker.errors import EngineUnavailable
from novadocker.virt.docker.conf import options
from novadocker.virt.hybrid import driver as hybrid
from novadocker.virt.hybrid.kind import Kind
from tests.unit.virt.hybrid.servers import Record, image

GIB = 2**30


@dataclass
class Child:
    """A driver of one kind that does nothing but notes its calls."""

    uuids: set[str] = field(default_factory=set)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    faults: dict[str, Exception] = field(default_factory=dict)
    away: bool = False
    capabilities: dict[str, bool] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Answer every method of Nova's interface."""
        if not hasattr(nova_driver.ComputeDriver, name):
            raise AttributeError(name)

        def called(*args: Any, **named: Any) -> Any:
            self.calls.append((name, [*args, *named.values()]))
            if name in self.faults:
                raise self.faults[name]
            return self.answers(name)

        return called

    def answers(self, name: str) -> Any:
        """Return what a method of the host answers."""
        resources = {"local_gb": 50, "supported_instances": [("x86_64", name, "exe")]}
        return resources if name == "get_available_resource" else []

    @property
    def names(self) -> list[str]:
        """The names of the methods that were called."""
        return [name for name, _ in self.calls]


@dataclass
class Host:
    """A hybrid driver and the two drivers behind."""

    driver: hybrid.HybridDriver
    machines: Child
    containers: Child

    def child(self, kind: Kind) -> Child:
        """Return the driver of a kind."""
        return self.containers if kind is Kind.CONTAINER else self.machines


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host whose engines are two sets of ids."""
    machines, containers = Child(), Child()

    def listed(label: str) -> dict[str, Any]:
        if containers.away:
            raise EngineUnavailable(url="unix:", reason="away")
        uuid = label.partition("=")[2]
        return {f"nova-{uuid}": object()} if uuid in containers.uuids else {}

    def guest(instance: Any) -> object:
        if machines.away:
            raise exception.InternalError("Connection to libvirt lost")
        if instance.uuid not in machines.uuids:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        return object()

    machines._host = SimpleNamespace(get_guest=guest)  # type: ignore[attr-defined]
    parts = SimpleNamespace(
        engine=SimpleNamespace(listed=listed, info=lambda: SimpleNamespace(root_directory="/")),
        host=SimpleNamespace(traits=lambda _runtimes: {"CUSTOM_DOCKER": True}),
        live=SimpleNamespace(trial=SimpleNamespace(traits={})),
        allocations=SimpleNamespace(kept=lambda _uuid: nullcontext()),
        lifecycle=SimpleNamespace(image_of=lambda _uuid: ""),
        glance=None,
    )
    options.register(hybrid.CONF)
    monkeypatch.setattr(hybrid, "assemble", lambda _conf, _virtapi: parts)
    monkeypatch.setattr(hybrid, "LibvirtDriver", lambda _virtapi: machines)
    monkeypatch.setattr(hybrid, "DockerDriver", lambda _virtapi, _parts: containers)
    monkeypatch.setattr(hybrid.image_ref, "kept", lambda *_: nullcontext())
    monkeypatch.setattr(hybrid.Containers, "own_disk", lambda _self, _conf: None)
    return Host(hybrid.HybridDriver(None), machines, containers)


def spawn(host: Host, uuid: str, container_format: str) -> None:
    """Ask for a server of an image."""
    host.driver.spawn(
        None, Record(uuid), image(container_format=container_format), [], None, {}, []
    )


@pytest.mark.parametrize(
    ("container_format", "kind"), [("docker", Kind.CONTAINER), ("bare", Kind.MACHINE)]
)
def test_an_image_chooses_the_driver_of_a_spawn(
    host: Host, container_format: str, kind: Kind
) -> None:
    """A new server goes to the driver of its image's kind, and the other hears nothing."""
    spawn(host, "a", container_format)
    assert host.child(kind).names == ["spawn"]
    assert host.child(kind.other).names == []


@pytest.mark.parametrize(
    ("container_format", "kind"), [("docker", Kind.CONTAINER), ("bare", Kind.MACHINE)]
)
def test_a_guest_that_a_crash_left_keeps_a_spawn_from_the_other_engine(
    host: Host, container_format: str, kind: Kind
) -> None:
    """Two guests of one server would share its ports: the spawn is refused before any work."""
    host.child(kind.other).uuids.add("a")
    with pytest.raises(exception.InstanceExists):
        spawn(host, "a", container_format)
    assert host.machines.names == host.containers.names == []


def test_a_removal_reaches_both_engines_and_survives_a_fault(host: Host) -> None:
    """The second engine removes its guest also where the first one fails, and the error stays."""
    for child in (host.machines, host.containers):
        child.uuids.add("a")
    host.containers.faults["destroy"] = exception.NovaException("the network is gone")
    with pytest.raises(exception.NovaException, match="the network is gone"):
        host.driver.destroy(None, Record("a"), [])
    assert host.containers.names == host.machines.names == ["destroy"]


@pytest.mark.parametrize("away", Kind)
def test_nothing_is_removed_while_an_engine_cannot_be_asked(host: Host, away: Kind) -> None:
    """A guess would destroy: the removal fails, and Nova repeats it later."""
    host.child(away.other).uuids.add("a")
    host.child(away).away = True
    for call in ("destroy", "cleanup"):
        with pytest.raises(exception.HypervisorUnavailable):
            getattr(host.driver, call)(None, Record("a"), [])
    with pytest.raises(exception.HypervisorUnavailable):
        host.driver.delete_instance_files(Record("a"))
    assert host.machines.names == host.containers.names == []


@pytest.mark.parametrize("kind", Kind)
def test_a_directory_goes_with_the_engine_of_its_server(host: Host, kind: Kind) -> None:
    """Files of a deleted server are removed by one driver, whose lock and layout they are of."""
    host.child(kind).uuids.add("a")
    host.driver.delete_instance_files(Record("a", "bare" if kind is Kind.CONTAINER else "docker"))
    assert host.child(kind).names == ["delete_instance_files"]
    assert host.child(kind.other).names == []


@pytest.mark.parametrize("kind", Kind)
def test_a_rebuild_to_the_other_kind_is_refused_first(host: Host, kind: Kind) -> None:
    """Neither driver hears of the rebuild, and Nova rolls the server's state back."""
    host.child(kind).uuids.add("a")
    foreign = image(container_format="bare" if kind is Kind.CONTAINER else "docker")
    with pytest.raises(exception.InstanceFaultRollback) as raised:
        host.driver.rebuild(None, Record("a"), foreign, [], None, {}, None, None, None)
    assert f"the server is a {kind.value}" in str(raised.value.inner_exception)
    assert host.machines.names == host.containers.names == []


@pytest.mark.parametrize("kind", Kind)
def test_a_rescue_by_the_other_kind_leaves_the_server_running(host: Host, kind: Kind) -> None:
    """Nova has stopped the server by then: the driver of its kind starts it before the refusal."""
    host.child(kind).uuids.add("a")
    foreign = image(container_format="bare" if kind is Kind.CONTAINER else "docker")
    with pytest.raises(exception.InstanceNotRescuable):
        host.driver.rescue(None, Record("a"), [], foreign, "", {}, None)
    assert host.child(kind).names == ["power_on"]
    assert host.child(kind.other).names == []


def test_servers_are_divided_at_the_start(host: Host) -> None:
    """Each driver looks after its own, and no record of the other kind reaches libvirt's."""
    host.containers.uuids.add("c")
    host.machines.uuids.add("m")
    servers = [Record("c", "bare"), Record("m", "docker"), Record("new", "docker")]
    assert host.driver.process_instances_at_startup(None, servers) == servers
    ((_, (_, own)),) = host.containers.calls
    assert [each.uuid for each in own] == ["c", "new"]
    ((_, (_, own)),) = host.machines.calls
    assert [each.uuid for each in own] == ["m"]


def test_an_engine_away_at_the_start_leaves_servers_to_their_records(host: Host) -> None:
    """Servers of the engine that answers are looked after all the same."""
    host.containers.away = True
    host.machines.uuids.add("m")
    host.driver.process_instances_at_startup(None, [Record("c"), Record("m", "bare")])
    ((_, (_, own)),) = host.machines.calls
    assert [each.uuid for each in own] == ["m"]


def test_events_of_both_drivers_reach_nova(host: Host) -> None:
    """Each driver emits by its own listener; a forgotten one would lose events without an error."""
    host.driver.register_event_listener(print)
    assert host.containers.calls == host.machines.calls == [("register_event_listener", [print])]


def test_resources_stay_libvirts_while_the_docker_engine_is_away(host: Host) -> None:
    """The scheduler hears of no hypervisor of containers; machines are counted as before."""
    host.containers.faults["get_available_resource"] = EngineUnavailable(url="unix:", reason="away")
    resources = host.driver.get_available_resource("h1")
    assert len(resources["supported_instances"]) == 1
    assert resources["local_gb"] == 50


def test_watchers_of_containers_start_while_libvirt_is_away(host: Host) -> None:
    """The Docker driver is asked first, since libvirt's raises."""
    host.machines.faults["get_available_resource"] = exception.HypervisorUnavailable(host="h1")
    with pytest.raises(exception.HypervisorUnavailable):
        host.driver.get_available_resource("h1")
    assert host.containers.names == ["get_available_resource"]


def test_a_provider_has_libvirts_inventory_with_the_traits_of_both(host: Host) -> None:
    """Only traits of containers are added: features of the processor are libvirt's to tell."""
    tree = ProviderTree()
    tree.new_root("h1", "00000000-0000-4000-8000-000000000001")
    disk = {"total": 50, "max_unit": 50}
    tree.update_inventory("h1", {"DISK_GB": disk})
    host.driver.update_provider_tree(tree, "h1")
    assert tree.data("h1").traits == {"CUSTOM_DOCKER"}
    assert tree.data("h1").inventory == {"DISK_GB": disk}
    assert host.machines.names == ["update_provider_tree"]
    assert host.containers.names == []


@pytest.mark.parametrize("failing", Kind)
def test_one_image_cache_is_cleaned_though_the_other_fails(host: Host, failing: Kind) -> None:
    """Each driver removes its own images alone, and neither waits for the other's success."""
    host.child(failing).faults["manage_image_cache"] = exception.NovaException("no")
    with pytest.raises(exception.NovaException):
        host.driver.manage_image_cache(None, [])
    assert host.containers.names == host.machines.names == ["manage_image_cache"]


def test_a_shared_directory_is_judged_by_the_driver_whose_data_came(host: Host) -> None:
    """The Docker driver compares hosts, and libvirt's looks for a file."""
    host.driver.check_instance_shared_storage_remote(None, {"host": "h1"})
    host.driver.check_instance_shared_storage_cleanup(None, {"filename": "f"})
    assert host.containers.names == ["check_instance_shared_storage_remote"]
    assert host.machines.names == ["check_instance_shared_storage_cleanup"]


def test_a_method_that_a_driver_lacks_stays_unimplemented(host: Host) -> None:
    """Nova falls back on its own way after that error, so it passes unchanged."""
    host.machines.uuids.add("a")
    host.machines.faults["soft_delete"] = NotImplementedError()
    with pytest.raises(NotImplementedError):
        host.driver.soft_delete(Record("a"))


@pytest.mark.parametrize("kind", Kind)
def test_a_guest_that_was_moved_by_hand_is_found_again(host: Host, kind: Kind) -> None:
    """A driver that has the server no more says so, and the call goes to the one that has it."""
    host.child(kind).uuids.add("a")
    host.driver.pause(Record("a"))
    host.child(kind).uuids.clear()
    host.child(kind.other).uuids.add("a")
    host.child(kind).faults["pause"] = exception.InstanceNotFound(instance_id="a")
    host.driver.pause(Record("a"))
    assert host.child(kind).names == ["pause", "pause"]
    assert host.child(kind.other).names == ["pause"]


def test_a_guest_that_is_nowhere_is_not_found(host: Host) -> None:
    """The driver's own error reaches Nova, and the other driver is not asked to act."""
    host.containers.uuids.add("a")
    host.driver.pause(Record("a"))
    host.containers.uuids.clear()
    host.containers.faults["pause"] = exception.InstanceNotFound(instance_id="a")
    with pytest.raises(exception.InstanceNotFound):
        host.driver.pause(Record("a"))
    assert host.machines.names == []
