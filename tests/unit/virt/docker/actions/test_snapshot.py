# SPDX-License-Identifier: Apache-2.0
"""What Snapshots decides; what a real engine does with it is in tests/engine."""

import io
import json
import tarfile
from collections.abc import Callable, Generator
from typing import Any

import pytest
from nova.exception import ImageNotFound

from novadocker.archive import Platform
from novadocker.errors import (
    ContainerNotFound,
    EngineError,
    EngineUnavailable,
    PolicyRefused,
    SnapshotError,
)
from novadocker.virt.docker.actions.snapshot import (
    Snapshots,
    Stages,
    is_live,
    name_of,
)
from novadocker.virt.docker.engine import Container, State

UUID = "5a1c0000-0000-4000-8000-000000000001"
IMAGE = "91a9ce00-0000-4000-8000-000000000001"
TAG = f"nova-snapshot/{UUID}:{IMAGE}"
SETTINGS = {"Cmd": ["/bin/serve"]}
PORTION = 4096


class FakeEngine:
    """Has one container, and the images that are made of it."""

    def __init__(self, saved: bytes) -> None:
        self.saved = saved
        self.container: Container | None = Container(
            id="c1",
            name=f"nova-{UUID}",
            labels={"novadocker.instance": UUID},
            state=State.RUNNING,
            image="sha256:its-own",
        )
        self.images: list[str] = []
        self.fault: Exception | None = None
        self.stays = False

    def listed(self, label: str) -> dict[str, Any]:
        """List no container that an earlier operation left."""
        return {}

    def find(self, name: str) -> Container | None:
        """Look for the container."""
        return self.container

    def image_settings(self, image: str) -> dict[str, Any]:
        """Return those of the container's image."""
        return SETTINGS if image == "sha256:its-own" else {}

    def save_image(self, image: str) -> Generator[bytes]:
        """Give the archive, up to a fault."""
        yield self.saved[: len(self.saved) // 2]
        if self.fault:
            raise self.fault
        yield self.saved[len(self.saved) // 2 :]

    def image_tags(self, prefix: str, label: str) -> list[str]:
        """List images; all are of the one host."""
        return [tag for tag in self.images if tag.startswith(prefix)] if "h1" in label else []

    def remove_image(self, tag: str) -> None:
        """Remove one, if it lets itself be removed."""
        if self.stays:
            raise EngineError(action="remove an image", reason="it is in use")
        if tag in self.images:
            self.images.remove(tag)


class FakeGlance:
    """Keeps one image; reads what is sent as Glance's client does."""

    def __init__(self) -> None:
        self.record: dict[str, Any] | None = {"properties": {}}
        self.account: dict[str, Any] = {}
        self.purge = False
        self.data = b""
        self.fault: Exception | None = None
        self.attempts = 1

    def get(self, context: Any, image_id: str) -> dict[str, Any]:
        """Return Glance's record."""
        assert self.record
        return self.record

    def update(
        self, context: Any, image_id: str, account: Any, data: Any = None, purge_props: bool = True
    ) -> dict[str, Any]:
        """Take what is sent, at once or after connections that broke."""
        if data is None:
            self.index = account["properties"]["docker_index"]
            assert not purge_props
            return {"size": len(self.data)}
        self.account, self.purge = account, purge_props
        for _ in range(self.attempts):
            self.data = data.read(PORTION)
        if self.fault:
            raise self.fault
        while portion := data.read(PORTION):
            self.data += portion
        return {"size": len(self.data)}

    def delete(self, context: Any, image_id: str) -> None:
        """Forget the image."""
        self.record = None


class Site:
    """A server, and what is told while it is made an image."""

    def __init__(self, saved: bytes) -> None:
        self.engine = FakeEngine(saved)
        self.glance = FakeGlance()
        self.told: list[str] = []
        self.faults: dict[str, Exception] = {}
        self.during_upload: Callable[[], None] = lambda: None
        engine: Any = self.engine
        engine.commit = self.commit
        self.snapshots = Snapshots(engine, self.glance, Platform("amd64"))

    def tell(self, what: str) -> None:
        """Take a step, which may fail."""
        self.told.append(what)
        if fault := self.faults.get(what):
            raise fault

    def commit(self, name: str, tag: str, *, pause: bool) -> str:
        """Commit the container."""
        self.tell("commit" if pause else "commit live")
        self.engine.images.append(tag)
        return "sha256:committed"

    def _uploading(self) -> None:
        self.tell("uploading")
        self.during_upload()

    def take(self) -> None:
        """Make the image."""
        stages = Stages(lambda: self.tell("pending"), self._uploading)
        self.snapshots.take(None, UUID, IMAGE, stages)


@pytest.fixture
def site(saved_images: Any) -> Site:
    """A server that can be made an image."""
    layers = saved_images.layer(), saved_images.layer(b"new\n" * 100_000)
    return Site(saved_images.new_style(*layers).tar())


def config_of(data: bytes) -> Any:
    """Return what an archive says of its containers."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        (manifest,) = json.load(tar.extractfile("manifest.json"))
        return json.load(tar.extractfile(manifest["Config"]))["config"]


def test_a_server_becomes_an_image(site: Site) -> None:
    """Glance gets the formats and all bytes, with its own image's settings; the engine is clean."""
    site.take()
    assert site.told == ["pending", "commit", "uploading"]
    assert config_of(site.glance.data) == SETTINGS
    assert site.glance.account == {"container_format": "docker", "disk_format": "raw"}
    assert site.glance.record
    assert not site.glance.purge
    assert site.engine.images == []


@pytest.mark.parametrize(
    ("properties", "live"),
    [({}, False), ({"docker_snapshot": "paused"}, False), ({"docker_snapshot": "live"}, True)],
)
def test_a_property_says_whether_it_runs_on(properties: dict[str, str], live: bool) -> None:
    """Unasked, it stands still."""
    assert is_live(properties) is live


@pytest.mark.parametrize("value", ["", "Live", "true", "1", "sometimes"])
def test_another_value_of_the_property_is_refused(site: Site, value: str) -> None:
    """Before anything happens; the message names both values that are taken."""
    site.glance.record = {"properties": {"docker_snapshot": value}}
    with pytest.raises(PolicyRefused, match=r"docker_snapshot = .*'paused'.*'live'"):
        site.take()
    assert site.told == []
    assert site.glance.record is None


def test_the_property_is_not_inherited(site: Site) -> None:
    """All other properties are kept."""
    site.glance.record = {"properties": {"docker_snapshot": "live", "purpose": "testing"}}
    site.take()
    assert "commit live" in site.told
    assert site.glance.account["properties"] == {"purpose": "testing"}
    assert site.glance.purge


@pytest.mark.parametrize("step", ["pending", "commit", "uploading"])
def test_a_failure_on_the_way_leaves_nothing(site: Site, step: str) -> None:
    """Neither in the engine nor in Glance; what failed is told as it is."""
    site.faults[step] = LookupError("gone")
    with pytest.raises(LookupError, match="gone"):
        site.take()
    assert site.told[-1] == step
    assert site.engine.images == []
    assert site.glance.record is None


def test_an_engine_that_goes_away_is_told_as_such(site: Site) -> None:
    """In the middle of the upload, which Glance's client does not try again."""
    site.engine.fault = EngineUnavailable(url="unix:///e", reason="reset")
    with pytest.raises(EngineUnavailable):
        site.take()
    assert site.glance.record is None


def test_an_archive_that_breaks_off_is_no_image(site: Site) -> None:
    """An engine that runs out of space says so in the middle of the archive."""
    site.engine.saved = site.engine.saved[:-2048] + b'{"error": "no space left on device"}'
    with pytest.raises(SnapshotError, match="did not save it whole"):
        site.take()
    assert site.engine.images == []
    assert site.glance.record is None


def test_an_upload_that_was_begun_again_is_no_image(site: Site) -> None:
    """Nova sends what is left after a connection broke; Glance would take that for the whole."""
    site.glance.attempts = 2
    with pytest.raises(SnapshotError, match="bytes of it, and"):
        site.take()
    assert site.glance.record is None


def test_a_glance_that_fails_is_told_as_it_is(site: Site) -> None:
    """Nova knows what to do when it was the image that went away."""
    site.glance.fault = LookupError("image not found")
    with pytest.raises(LookupError, match="image not found"):
        site.take()
    assert site.engine.images == []


def test_a_server_without_a_container_is_not_found(site: Site) -> None:
    """Nothing has happened then."""
    site.engine.container = None
    with pytest.raises(ContainerNotFound):
        site.take()
    assert site.told == []


def test_a_sweep_removes_what_is_left_on_this_host(site: Site) -> None:
    """Of ended snapshots, and of nothing else."""
    site.engine.images = [TAG, "nova/91a9:1", "debian:12"]
    assert site.snapshots.sweep("another") == []
    assert site.snapshots.sweep("h1") == [TAG]
    assert site.engine.images == ["nova/91a9:1", "debian:12"]


def test_a_sweep_leaves_what_is_being_made(site: Site) -> None:
    """The image cache is looked through while snapshots are sent."""
    swept: list[list[str]] = []
    site.during_upload = lambda: swept.append(site.snapshots.sweep("h1"))
    site.take()
    assert swept == [[]]


def test_what_cannot_be_removed_waits_for_the_next_sweep(site: Site) -> None:
    """The snapshot is done nevertheless."""
    site.engine.stays = True
    site.take()
    assert site.engine.images == [name_of(UUID, IMAGE)]
    assert site.snapshots.sweep("h1") == []
    site.engine.stays = False
    assert site.snapshots.sweep("h1") == [TAG]


@pytest.mark.parametrize(
    ("fault", "told"),
    [(OSError("Glance is away"), True), (ImageNotFound(image_id=IMAGE), False)],
)
def test_an_image_that_cannot_be_taken_back_is_told(
    site: Site, caplog: pytest.LogCaptureFixture, fault: Exception, told: bool
) -> None:
    """The first fault is the one that is raised; what stays in Glance is in the log."""
    site.faults["commit"] = RuntimeError("no room")

    def broken(context: Any, image_id: str) -> None:
        raise fault

    site.glance.delete = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="no room"):
        site.take()
    assert ("is left in Glance: Glance is away" in caplog.text) is told
