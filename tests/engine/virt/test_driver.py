# SPDX-License-Identifier: Apache-2.0
"""The whole driver on a real engine, called as Nova calls it; only the wiring is a stand-in."""

import socket
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import requests
from nova import exception, objects
from nova.compute import power_state, vm_states
from nova.network import model
from nova.virt import event as nova_event
from nova.virt import fake

from novadocker.errors import ConfigurationError
from novadocker.virt.docker import driver
from novadocker.virt.docker.compute.assembly import assemble, edges_of
from novadocker.virt.docker.conf import options as conf
from novadocker.virt.docker.driver import CONF, DockerDriver
from novadocker.virt.docker.telemetry.endpoint import Endpoint, EngineHealth
from tests.support.eventually import eventually

UUID = "5a1c0000-0000-4000-8000-000000000002"
IMAGE = "91a9ce00-0000-4000-8000-000000000002"


@pytest.fixture
def options(engine_socket: Path, instances: Path) -> Iterator[None]:
    """nova.conf for the engine of the tests."""
    conf.register(CONF)
    CONF.set_override("host_url", f"unix://{engine_socket}", group="docker")
    CONF.set_override("instances_path", str(instances))
    CONF.set_override("host", "h1")
    yield
    CONF.clear_override("host")
    CONF.clear_override("host_url", group="docker")
    CONF.clear_override("instances_path")
    CONF.clear_override("privileged", group="docker")


@pytest.fixture
def docker_driver(servers: Any, options: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A driver after its start, with images that the engine has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Nova stands on
        objects.register_all()
    monkeypatch.setattr(driver.translation, "settled", lambda _: True)
    monkeypatch.setattr(driver.metadata, "describe_devices", lambda *_, **__: None)
    servers.wiring.warm_up = lambda: None
    edges = replace(edges_of(CONF), wiring=servers.wiring, images=servers.images)
    virtapi = fake.FakeVirtAPI()
    # No message bus: other hosts have no part in the life of one server.
    silent: Any = SimpleNamespace(start=lambda: None, stop=lambda: None)
    made = DockerDriver(virtapi, replace(assemble(CONF, virtapi, edges), channel=silent))
    made.init_host("h1")
    yield made
    made.cleanup_host("h1")


@pytest.fixture
def instance() -> Any:
    """Nova's instance."""
    return objects.Instance(
        uuid=UUID,
        project_id="p1",
        host="h1",
        hostname="web-1",
        flavor=objects.Flavor(vcpus=1, memory_mb=32, root_gb=1, swap=0, extra_specs={}),
        metadata={},
        image_ref=IMAGE,
        config_drive="",
        key_data=None,
        user_data=None,
        system_metadata={"image_os_command_line": "/bin/sh -c 'echo hello; sleep 600'"},
        info_cache=objects.InstanceInfoCache(network_info=model.NetworkInfo([])),
        vm_state=vm_states.ACTIVE,
        task_state=None,
    )


def spawn(docker_driver: Any, instance: Any) -> None:
    """Spawn it as Nova does."""
    docker_driver.spawn(None, instance, instance.image_meta, [], None, {}, model.NetworkInfo([]))


def test_each_action_has_a_line_in_the_log_with_its_parts(
    docker_driver: Any, instance: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A boot tells its parts, which a benchmark reads, and a stop its time."""
    with caplog.at_level("INFO"):
        spawn(docker_driver, instance)
        docker_driver.power_off(instance)
    lines = [line for line in caplog.messages if f"of nova-{UUID} took" in line]
    assert [line.partition(" ")[0] for line in lines] == ["Boot", "Stop"]
    parts = [word.partition("=")[0] for word in lines[0].split(": ")[1].split()]
    expected = ["image", "container", "volumes", "ports", "wiring", "event", "gate", "rest"]
    assert parts == expected


def test_prometheus_reads_boots_faults_and_the_engine(
    docker_driver: Any, instance: Any, parts_with_metrics: str
) -> None:
    """An endpoint that is switched on tells actions by part, faults by kind, and the engine."""
    before = read(parts_with_metrics)
    spawn(docker_driver, instance)
    with pytest.raises(exception.NovaException):
        spawn(docker_driver, instance)
    after = read(parts_with_metrics)

    def grown(sample: str) -> float:
        return after.get(sample, 0.0) - before.get(sample, 0.0)

    assert grown('novadocker_action_seconds_count{action="boot",outcome="done"}') == 1
    assert grown('novadocker_action_seconds_count{action="boot",outcome="failed"}') == 1
    assert grown('novadocker_action_part_seconds_count{action="boot",part="gate"}') == 1
    assert grown('novadocker_faults_total{action="boot",kind="ContainerExists"}') == 1
    assert after["novadocker_engine_up"] == 1
    assert 0 < after["novadocker_engine_answer_seconds"] < 5


def read(url: str) -> dict[str, float]:
    """Return the figures that an endpoint tells, by sample."""
    text = requests.get(url, timeout=10).text
    samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


@pytest.fixture
def parts_with_metrics(docker_driver: Any) -> Iterator[str]:
    """Yield the address of an endpoint for the driver's engine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = Endpoint("127.0.0.1", port, EngineHealth(docker_driver._parts.engine.info))
    endpoint.start()
    yield f"http://127.0.0.1:{port}/metrics"
    endpoint.stop()


def test_a_server_goes_through_its_life(docker_driver: Any, instance: Any) -> None:
    """Spawn, pause, stop, start, reboot, delete: each as get_info and the lists tell it."""
    none = model.NetworkInfo([])

    def state() -> int:
        return int(docker_driver.get_info(instance).state)

    spawn(docker_driver, instance)
    assert state() == power_state.RUNNING
    assert docker_driver.list_instances() == [f"nova-{UUID}"]
    assert docker_driver.list_instance_uuids() == [UUID]
    assert eventually(lambda: docker_driver.get_console_output(None, instance) == b"hello\r\n")
    docker_driver.pause(instance)
    assert state() == power_state.PAUSED
    docker_driver.unpause(instance)
    docker_driver.power_off(instance, timeout=0)
    assert state() == power_state.SHUTDOWN
    assert b"exit code 137" in docker_driver.get_console_output(None, instance)
    docker_driver.power_on(None, instance, none)
    docker_driver.reboot(None, instance, none, "HARD")
    assert state() == power_state.RUNNING
    docker_driver.destroy(None, instance, none)
    docker_driver.destroy(None, instance, none)
    assert docker_driver.list_instances() == []
    with pytest.raises(exception.InstanceNotFound):
        docker_driver.get_info(instance)


def test_nova_hears_of_a_container_that_ended(
    docker_driver: Any, instance: Any, servers: Any
) -> None:
    """Within two seconds, whoever ended it."""
    heard: list[Any] = []
    docker_driver.register_event_listener(heard.append)
    docker_driver.get_available_resource("h1")  # as Nova does when it listens
    spawn(docker_driver, instance)
    servers.engine.stop(f"nova-{UUID}", 0)
    stopped = nova_event.EVENT_LIFECYCLE_STOPPED
    assert eventually(lambda: any(each.get_transition() == stopped for each in heard), 2)
    assert {each.get_instance_uuid() for each in heard} == {UUID}


def test_a_host_tells_its_resources(docker_driver: Any) -> None:
    """One node of the host's name, with what the engine's host has."""
    assert docker_driver.get_available_nodes() == ["h1"]
    resources = docker_driver.get_available_resource("h1")
    assert resources["hypervisor_type"] == "docker"
    assert resources["memory_mb"] > 0
    assert resources["hypervisor_version"] >= 20_010_000


def test_a_host_whose_configuration_is_refused_does_not_start(
    docker_driver: Any, options: None
) -> None:
    """The service ends with our message."""
    CONF.set_override("privileged", True, group="docker")
    with pytest.raises(ConfigurationError, match="never run privileged"):
        docker_driver.init_host("h1")


def test_files_of_a_server_are_where_nova_conf_says(
    docker_driver: Any, instance: Any, servers: Any
) -> None:
    """Below instances_path, by its id."""
    spawn(docker_driver, instance)
    assert [each.name for each in servers.instances.iterdir()] == [UUID]


def test_what_ended_while_nova_compute_was_away_is_told(
    docker_driver: Any, instance: Any, servers: Any
) -> None:
    """Nova listens only some time after it started the driver, and then asks for resources."""
    spawn(docker_driver, instance)
    docker_driver.cleanup_host("h1")
    servers.engine.stop(f"nova-{UUID}", 0)
    heard: list[Any] = []
    docker_driver.init_host("h1")
    time.sleep(1)
    docker_driver.register_event_listener(heard.append)
    docker_driver.get_available_resource("h1")
    stopped = nova_event.EVENT_LIFECYCLE_STOPPED
    assert eventually(lambda: any(each.get_transition() == stopped for each in heard), 2)


def test_a_rescued_server_is_one_server(docker_driver: Any, instance: Any, servers: Any) -> None:
    """It is listed once; state, console and news are those of the container that serves."""
    heard: list[Any] = []
    docker_driver.register_event_listener(heard.append)
    docker_driver.get_available_resource("h1")
    spawn(docker_driver, instance)
    own = docker_driver.get_info(instance).internal_id
    instance.power_state = power_state.RUNNING
    docker_driver.power_off(instance)
    properties = objects.ImageMetaProps(os_command_line="/bin/sh -c 'echo rescuer; sleep 600'")
    rescuer = objects.ImageMeta(id=IMAGE, properties=properties)
    none = model.NetworkInfo([])
    glance = mock.Mock(get=lambda *_: {"properties": {}})
    docker_driver._parts = replace(docker_driver._parts, glance=glance)
    docker_driver.rescue(None, instance, none, rescuer, "secret", None, None)
    instance.vm_state = vm_states.RESCUED
    assert docker_driver.list_instances() == [f"nova-{UUID}"]
    assert docker_driver.list_instance_uuids() == [UUID]
    assert docker_driver.get_info(instance).internal_id != own
    assert eventually(lambda: docker_driver.get_console_output(None, instance) == b"rescuer\r\n")
    heard.clear()
    servers.engine.stop(f"nova-{UUID}-rescue", 0)
    stopped = nova_event.EVENT_LIFECYCLE_STOPPED
    assert eventually(lambda: any(each.get_transition() == stopped for each in heard))
    docker_driver.power_on(None, instance, none)
    assert docker_driver.get_info(instance).state == power_state.RUNNING
    assert docker_driver.get_info(instance).internal_id != own
    docker_driver.unrescue(None, instance)
    assert docker_driver.get_info(instance).internal_id == own
    assert docker_driver.list_instances() == [f"nova-{UUID}"]


def test_a_host_that_is_taken_out_of_service_hears_no_more(
    docker_driver: Any, instance: Any, servers: Any
) -> None:
    """Its containers run on; taking it out of service twice is no error."""
    spawn(docker_driver, instance)
    heard: list[Any] = []
    docker_driver.register_event_listener(heard.append)
    docker_driver.get_available_resource("h1")
    assert eventually(lambda: bool(heard))
    docker_driver.cleanup_host("h1")
    docker_driver.cleanup_host("h1")
    assert docker_driver.get_info(instance).state == power_state.RUNNING
    heard.clear()
    servers.engine.stop(f"nova-{UUID}", 0)
    time.sleep(1)
    assert heard == []
