# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from nova import objects
from nova.compute import power_state, vm_states
from nova.network import model

from novadocker.errors import RescueRefused
from novadocker.virt.docker import translation
from novadocker.virt.docker.actions.rescue import files_of
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.engine import Container, Shared, State
from tests.unit.virt.docker.nova_side import IMAGE_ID, UUID, Life, instance, with_parts

ROOT = "/var/lib/docker/overlay2/f0/merged"
OWN = container_name(UUID)
STAND_IN = container_name(UUID, rescue=True)
RESCUER = "4e5c0000-0000-4000-8000-000000000001"
LABELS = {"novadocker.instance": UUID, "novadocker.role": "rescue"}


@pytest.mark.parametrize(
    ("volumes", "expected"),
    [
        ({}, []),
        (
            {"/srv/data": "v2", "/data": "v1"},
            [Shared("v1", "/rescue/data", volume=True), Shared("v2", "/rescue/srv/data", True)],
        ),
    ],
)
def test_a_stand_in_sees_root_and_volumes(volumes: dict[str, str], expected: list[Shared]) -> None:
    """The root at /rescue, each volume where it is below that."""
    own = Container("f0", OWN, {}, State.EXITED, root=ROOT, volumes=volumes)
    assert list(files_of(own)) == [Shared(ROOT, "/rescue"), *expected]


def test_a_root_that_is_nowhere_told_cannot_be_lent() -> None:
    """The message says what a rescue needs."""
    with pytest.raises(RescueRefused, match=rf"{OWN} cannot be rescued: .* needs overlay2"):
        files_of(Container("f0", OWN, {}, State.EXITED))


def test_what_is_lent_is_mounted_with_the_right_to_write() -> None:
    """A volume by its name, and nothing is copied into it."""
    assert Shared(ROOT, "/rescue").body() == {
        "Type": "bind",
        "Source": ROOT,
        "Target": "/rescue",
        "ReadOnly": False,
    }
    assert Shared("v1", "/rescue/data", volume=True).body() == {
        "Type": "volume",
        "Source": "v1",
        "Target": "/rescue/data",
        "ReadOnly": False,
        "VolumeOptions": {"NoCopy": True},
    }


def test_an_engine_tells_root_and_volumes() -> None:
    """A bind is no volume; other storage drivers tell no root."""
    body = {
        "Id": "f0",
        "Name": f"/{OWN}",
        "Image": "sha256:aa",
        "Config": {},
        "State": {
            "Status": "exited",
            "Pid": 0,
            "ExitCode": 0,
            "OOMKilled": False,
            "Error": "",
            "FinishedAt": "",
        },
        "HostConfig": {},
        "Mounts": [
            {"Type": "volume", "Name": "v1", "Destination": "/data"},
            {"Type": "bind", "Source": "/i/hosts", "Destination": "/etc/hosts"},
        ],
    }
    told = Container.parse(body | {"GraphDriver": {"Data": {"MergedDir": ROOT}}})
    assert (told.root, told.volumes) == (ROOT, {"/data": "v1"})
    assert Container.parse(body | {"GraphDriver": {"Data": None}}).root == ""


@pytest.mark.parametrize(
    ("stand_in", "serving"),
    [
        (None, OWN),
        (Container("f1", STAND_IN, LABELS, State.RUNNING), STAND_IN),
        (Container("f1", STAND_IN, LABELS, State.EXITED), STAND_IN),
        (Container("f1", STAND_IN, LABELS, State.CREATED), OWN),  # it was broken off
        (Container("f1", STAND_IN, {}, State.RUNNING), OWN),  # somebody else's
    ],
)
def test_one_container_is_in_service(stand_in: Container | None, serving: str) -> None:
    """The stand-in from its first start on; else the server's own, also where that is lost."""

    class Engine:
        """An engine that has the stand-in or not."""

        def find(self, name: str) -> Container | None:
            """Look for it."""
            return stand_in if name == STAND_IN else None

    engine: Any = Engine()
    assert in_service(engine, UUID).name == serving


def test_nova_says_which_container_is_meant() -> None:
    """The stand-in while it calls the instance rescued, the server's own else."""
    assert translation.server(instance(vm_state=vm_states.RESCUED)).rescue
    assert not translation.server(instance()).rescue


class Glance:
    """Knows the properties of one image."""

    def __init__(self, properties: dict[str, str]) -> None:
        """Take them."""
        self._properties = properties

    def get(self, context: Any, image: str) -> dict[str, Any]:
        """Return what Nova makes of an image."""
        return {"id": image, "properties": self._properties}


@pytest.mark.parametrize(
    ("was", "running"), [(power_state.RUNNING, True), (power_state.SHUTDOWN, False)]
)
def test_a_rescue_boots_the_rescue_image(
    docker_driver: Any, life: Life, was: int, running: bool
) -> None:
    """With the server's names, flavor and key; not with its user data, which may be at fault."""
    it = instance(
        power_state=was,
        user_data="IyEvYmluL3NoCg==",
        system_metadata={"image_docker_user_data": "run"},
    )
    properties = objects.ImageMetaProps(os_command_line="/bin/mend")
    rescuer = objects.ImageMeta(id=RESCUER, properties=properties)
    glance = Glance({"docker_cap_drop": "KILL", "os_distro": "x"})
    with_parts(docker_driver, glance=glance)
    docker_driver.rescue(None, it, [], rescuer, "secret", None, None)
    (call,) = life.calls
    server, inputs = call.server, call.inputs
    assert (call.action, call.image_meta, call.running) == ("Rescue.run", rescuer, running)
    assert (server.rescue, server.image, server.command_line) == (True, RESCUER, "/bin/mend")
    assert (server.hostname, server.public_key) == ("web-1", "ssh-ed25519 AAAA")
    assert inputs.user_data is None
    assert server.image_properties == {"docker_cap_drop": "KILL"}  # not the server's own image's


def test_the_end_of_a_rescue_starts_the_server_itself(docker_driver: Any, life: Life) -> None:
    """Though Nova still calls it rescued at that moment."""
    cache = objects.InstanceInfoCache(network_info=model.NetworkInfo([]))
    it = instance(vm_state=vm_states.RESCUED, info_cache=cache)
    docker_driver.unrescue(None, it)
    (call,) = life.calls
    assert call.action == "Lifecycle.start"
    assert (call.server.rescue, call.server.image) == (False, IMAGE_ID)
