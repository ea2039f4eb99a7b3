# SPDX-License-Identifier: Apache-2.0
"""The CIS Docker Benchmark's section 5, over every kind of container that the driver makes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from novadocker.policy import CAPABILITIES, Flavor
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.engine import Engine, Image
from tests.engine.virt.conftest import Servers
from tests.engine.virt.test_rescue import stand_in
from tests.support import cis

LARGER = Flavor(vcpus=2, memory_mib=96, root_gib=1, swap_mib=16)
NUMBERS = {f"5.{number}" for number in range(1, 33)}


@pytest.fixture
def seen(docker_api: Any) -> Callable[[str], cis.Seen]:
    """How to look at a container."""
    info = docker_api.info()

    def look(name: str) -> cis.Seen:
        return cis.Seen(docker_api.inspect_container(name), info, frozenset(CAPABILITIES))

    return look


def every_kind(servers: Servers, make_image: Callable[..., Image]) -> Iterator[tuple[str, str]]:
    """Take a server through what makes containers, and name each kind of them and one of it."""
    uuid, own = servers.asked.uuid, servers.asked.container
    servers.boot(metadata={"COLOUR": "green"})
    yield "booted", own
    servers.actions.lifecycle.stop(uuid, servers.network, 0)
    yield "stopped", own
    servers.actions.rescue.run(None, stand_in(servers), None, servers.network, running=False)
    yield "rescued", own
    yield "standing in", container_name(uuid, rescue=True)
    servers.actions.lifecycle.start(servers.asked, servers.network)
    servers.ask(flavor=LARGER)
    servers.actions.resize.prepare(servers.asked, servers.network, 0)
    servers.actions.resize.finish(servers.asked, servers.network, power_on=True)
    yield "resized", own
    Guest(servers.engine, container_name(uuid)).commit("saved:1", live=True)
    servers.actions.lifecycle.remove(uuid, servers.network)
    saved = servers.engine.find_image("saved:1")
    assert saved
    servers.images.image = saved
    servers.boot()
    yield "from a snapshot", own
    servers.actions.lifecycle.remove(uuid, servers.network)
    servers.images.image = make_image(User="web", Healthcheck={"Test": ["CMD", "test", "-e", "/"]})
    servers.boot()
    yield "of a user, with a probe", own


def test_every_container_is_as_the_benchmark_wants(
    servers: Servers, make_image: Callable[..., Image], seen: Callable[[str], cis.Seen]
) -> None:
    """But for the exceptions, each of which has a reason."""
    found = {kind: cis.broken(seen(name)) for kind, name in every_kind(servers, make_image)}
    assert {kind: rules for kind, rules in found.items() if rules} == {}
    assert len(found) == 7


def test_every_rule_is_asked_or_said_why_not() -> None:
    """None is forgotten; an exception is of a rule that is asked."""
    asked = [rule.number for rule in cis.RULES]
    assert {*asked, *cis.NOT_OF_A_CONTAINER} == NUMBERS
    assert not {*asked} & {*cis.NOT_OF_A_CONTAINER}
    assert {*cis.EXCEPTIONS} <= {*asked}
    assert all([*cis.EXCEPTIONS.values(), *cis.NOT_OF_A_CONTAINER.values()])


# The engine itself wants it where others of the host's namespaces are shared.
HOST_USERS = {"UsernsMode": "host"}
# What a container made by hand would have to have for each rule to speak up.
LOOSE: dict[str, Any] = {
    "5.4": {"CapAdd": ["SYS_ADMIN"]},
    "5.5": {"Privileged": True, **HOST_USERS},
    "5.6": {"Binds": ["/etc:/host:ro"]},
    "5.10": {"NetworkMode": "host", **HOST_USERS},
    "5.12": {"NanoCpus": 0},
    "5.15": {"RestartPolicy": {"Name": "always"}},
    "5.16": {"PidMode": "host", **HOST_USERS},
    "5.17": {"IpcMode": "host"},
    "5.18": {"Devices": [{"PathOnHost": "/dev/full", "PathInContainer": "/dev/x"}]},
    "5.20": {"Binds": ["/var/tmp:/host:rshared"]},
    "5.21": {"UTSMode": "host"},
    "5.22": {"SecurityOpt": ["seccomp=unconfined", "no-new-privileges"]},
    "5.26": {"SecurityOpt": []},
    "5.29": {"PidsLimit": 0},
    "5.31": HOST_USERS,
}


def test_each_rule_speaks_up(
    servers: Servers, engine: Engine, docker_api: Any, seen: Callable[[str], cis.Seen]
) -> None:
    """Of a container that is as the driver's are, but for one setting."""
    servers.boot(power_on=False)
    settings = {**docker_api.inspect_container(servers.asked.container)["HostConfig"], "Mounts": []}
    silent = []
    for number, loose in LOOSE.items():
        body = {"Image": servers.images.image.id, "Cmd": ["true"], "HostConfig": settings | loose}
        made = docker_api.create_container_from_config(body | {"NetworkDisabled": True}, "by-hand")
        if number not in [each.split()[0] for each in cis.broken(seen(made["Id"]))]:
            silent.append(number)
        engine.remove("by-hand")
    assert silent == []


def test_memory_without_a_limit_is_told(seen: Callable[[str], cis.Seen], servers: Servers) -> None:
    """As the engine would say it of one."""
    servers.boot()
    looked = seen(servers.asked.container)
    host = {**looked.host, "Memory": 0}
    assert cis.broken(replace(looked, told={**looked.told, "HostConfig": host})) == [
        "5.11 memory is limited"
    ]
