# SPDX-License-Identifier: Apache-2.0
"""Images of servers on a real engine: what is in them, how still a server stands, what breaks."""

import contextlib
import io
import json
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.archive import Platform
from novadocker.errors import ContainerNotFound, DockerDriverError, SnapshotError
from novadocker.virt.docker.actions.snapshot import Snapshots, Stages, name_of
from novadocker.virt.docker.engine import Engine, Image, State
from novadocker.virt.docker.images import Images
from tests.support.eventually import eventually

IMAGE = "91a9ce00-0000-4000-8000-000000000003"
MIB = 1024**2
# What an image may say of its containers.
CONFIG = {
    "Entrypoint": ["/bin/sh", "-c"],
    "Cmd": ["sleep 600"],
    "Env": ["PATH=/bin", "COLOUR=green"],
    "ExposedPorts": {"80/tcp": {}},
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 3_600_000_000_000},
    "Labels": {"org.example": "an image's"},
    "OnBuild": ["RUN true"],
    "Shell": ["/bin/sh", "-ec"],
    "StopSignal": "SIGUSR1",
    "User": "web:web",
    "Volumes": {"/data": {}},
    "WorkingDir": "/srv",
}

pytestmark = pytest.mark.usefixtures("privileged")


class Glance:
    """Keeps one image, and does something when an upload is halfway."""

    def __init__(self, halfway: Callable[[], None] = lambda: None) -> None:
        self.properties: dict[str, str] = {}
        self.data = b""
        self.halfway = halfway

    def get(self, context: Any, image_id: str) -> dict[str, Any]:
        """Return Glance's record of it."""
        return {"properties": self.properties}

    def update(
        self, context: Any, image_id: str, account: Any, data: Any = None, purge_props: bool = True
    ) -> dict[str, Any]:
        """Take the image's data as Glance's client does, or an account of it alone."""
        if data is None:
            self.properties |= account["properties"]
            return {"size": len(self.data)}
        self.data = data.read(MIB)
        self.halfway()
        while portion := data.read(MIB):
            self.data += portion
        return {"size": len(self.data)}

    def download(self, context: Any, image_id: str) -> Iterator[bytes]:
        """Give the image's data."""
        yield self.data

    def delete(self, context: Any, image_id: str) -> None:
        """Forget the image."""
        self.data = b""

    @property
    def layers(self) -> list[list[str]]:
        """What is in each layer."""
        with tarfile.open(fileobj=io.BytesIO(self.data)) as saved:
            (manifest,) = json.load(saved.extractfile("manifest.json"))
            found = []
            for path in manifest["Layers"]:
                with tarfile.open(fileobj=saved.extractfile(path)) as layer:
                    found.append(layer.getnames())
            return found


def take(servers: Any, glance: Any, stages: Stages | None = None) -> None:
    """Make an image of the server."""
    silent = Stages(lambda: None, lambda: None)
    Snapshots(servers.engine, glance, Platform("amd64")).take(
        None, servers.asked.uuid, IMAGE, stages or silent
    )


def names(docker_api: Any) -> set[tuple[str, ...]]:
    """Return what ``docker images --all`` shows."""
    images = docker_api.images(all=True)
    return {(image["Id"], *sorted(image["RepoTags"] or ())) for image in images}


def image_settings(engine: Engine, image: str) -> dict[str, Any]:
    """Return what an image says, without what it leaves open."""
    return {name: value for name, value in engine.image_settings(image).items() if value}


def test_an_image_of_a_server_boots_as_its_own(
    servers: Any, engine: Engine, docker_api: Any, make_image: Callable[..., Image]
) -> None:
    """It is loaded under the id that was sent, and says word for word what the first one said."""
    servers.images.image = own = make_image(**CONFIG)
    glance, before = Glance(), names(docker_api)
    servers.boot(command_line=None, metadata={"SECRET": "of this server"})
    made = docker_api.exec_create(servers.guest.name, ["touch", "/kept"], user="root")
    docker_api.exec_start(made["Id"])
    take(servers, glance)
    assert names(docker_api) == before
    meta = SimpleNamespace(
        id=IMAGE,
        container_format="docker",
        checksum="0" * 32,
        size=0,
        obj_attr_is_set=lambda _: True,
    )
    copy = Images(engine, glance, Platform("amd64")).ensure(None, meta)
    try:
        assert image_settings(engine, copy.id) == image_settings(engine, own.id)
        history = json.dumps(docker_api.history(copy.id))
        assert "snapshot of a server" in history
        assert "novadocker" not in history
        body = docker_api.inspect_image(copy.id)
        assert "SECRET" not in json.dumps(body)
        servers.engine.remove(servers.guest.name)
        servers.images.image = copy
        servers.boot(command_line=None, metadata={})
        environment = docker_api.inspect_container(servers.guest.name)["Config"]["Env"]
        assert sorted(environment) == sorted(CONFIG["Env"])
        kept = docker_api.get_archive(servers.guest.name, "/kept")[1]
        assert kept["name"] == "kept"
    finally:
        engine.remove(servers.guest.name)
        engine.remove_image(copy.tags[0])


def test_nothing_of_ours_is_in_the_files(servers: Any, docker_api: Any) -> None:
    """Neither the gate nor what is bound over ``/etc`` leaves a trace in the new layer."""
    glance = Glance()
    servers.boot()
    made = docker_api.exec_create(servers.guest.name, ["touch", "/kept"])
    docker_api.exec_start(made["Id"])
    take(servers, glance)
    # "dev" is as it was; "data" is where a volume of the image's own was mounted. Newer engines
    # make the places of our files, empty, when they look into a container before its start.
    newer = servers.engine.info().api_versions[1] >= (1, 45)
    places = {"etc", "etc/hosts", "etc/hostname", "etc/resolv.conf"} if newer else set()
    assert set(glance.layers[-1]) <= {"kept", "dev", "data"} | places
    assert "kept" in glance.layers[-1]


@pytest.mark.parametrize(
    ("state", "live", "expected"),
    [
        ("running", False, ["pause", "unpause"]),
        ("running", True, []),
        ("paused", False, []),
        ("stopped", False, []),
    ],
)
def test_a_server_stands_still_only_if_it_runs_and_is_not_live(
    servers: Any, docker_api: Any, state: str, live: bool, expected: list[str]
) -> None:
    """It is paused once, by the engine itself, and is as it was before the upload begins."""
    servers.boot()
    if state == "paused":
        servers.guest.pause()
    elif state == "stopped":
        servers.guest.stop(0)
    before, since = servers.guest.get(), time.time()
    seen: list[State] = []
    glance = Glance(lambda: seen.append(servers.guest.get().state))
    glance.properties = {"docker_snapshot": "live"} if live else {}
    take(servers, glance)
    filters = {"container": servers.guest.name}
    told = docker_api.events(since=since, until=time.time(), filters=filters, decode=True)
    actions = [event["Action"] for event in told]
    assert [action for action in actions if "pause" in action] == expected
    assert seen == [before.state]
    assert servers.guest.get() == before


def test_a_container_that_is_not_there_is_not_found(servers: Any) -> None:
    """Nova is told."""
    with pytest.raises(ContainerNotFound):
        take(servers, Glance())


@pytest.mark.parametrize("fault", [ConnectionResetError("reset"), LookupError("image not found")])
def test_a_glance_that_breaks_off_leaves_nothing(
    servers: Any, docker_api: Any, fault: Exception
) -> None:
    """The server runs, and the engine has the images that it had."""

    def fail() -> None:
        raise fault

    servers.boot()
    before, was = names(docker_api), servers.guest.get()
    with pytest.raises(type(fault)):
        take(servers, Glance(fail))
    assert names(docker_api) == before
    assert servers.guest.get() == was


def test_a_server_that_is_deleted_meanwhile_leaves_nothing(servers: Any, docker_api: Any) -> None:
    """Nova says so when it is told that the upload begins; the container may be gone by then."""

    def deleted() -> None:
        servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
        raise LookupError("the server is being deleted")

    servers.boot()
    before, glance = names(docker_api), Glance()
    with pytest.raises(LookupError, match="being deleted"):
        take(servers, glance, Stages(lambda: None, deleted))
    assert names(docker_api) == before
    assert not glance.data


def test_a_server_can_be_deleted_while_it_is_sent(servers: Any, docker_api: Any) -> None:
    """The upload holds no lock; the image comes about."""
    servers.boot()
    before = names(docker_api)
    glance = Glance(lambda: servers.actions.lifecycle.remove(servers.asked.uuid, servers.network))
    take(servers, glance)
    assert servers.guest.find() is None
    assert names(docker_api) == before


def test_what_an_interrupted_snapshot_left_is_swept(
    servers: Any, engine: Engine, docker_api: Any
) -> None:
    """A nova-compute that starts again removes what it left on its host, and nothing else."""
    servers.boot()
    before = names(docker_api)
    tag = name_of(servers.asked.uuid, IMAGE)
    servers.guest.commit(tag, live=False)
    snapshots = Snapshots(engine, Glance())
    assert snapshots.sweep("another host") == []
    assert snapshots.sweep("h1") == [tag]
    assert names(docker_api) == before


def test_a_file_that_means_a_deletion_is_refused_by_name(servers: Any) -> None:
    """A commit would leave the file and its namesake out, and say nothing."""
    servers.boot("touch /bin/.wh.cat; echo made; sleep 600")
    servers.wait_for("made")
    with pytest.raises(SnapshotError, match=r"no image carries /bin/\.wh\.cat"):
        take(servers, Glance())


def test_a_server_is_deleted_while_it_is_made_an_image(servers: Any, engine: Engine) -> None:
    """The deletion does not wait for the commit, of which nothing is left in the engine."""
    servers.boot("head -c 100000000 /dev/urandom > /big; echo written; sleep 600")
    servers.wait_for("written")
    ended = threading.Event()

    def snapshot() -> None:
        with contextlib.suppress(DockerDriverError):
            take(servers, Glance())
        ended.set()

    thread = threading.Thread(target=snapshot)
    thread.start()
    assert eventually(lambda: servers.guest.get().state is State.PAUSED)
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    assert servers.guest.find() is None
    thread.join(200)
    assert ended.is_set()
    assert not engine.image_tags("nova-snapshot/")
