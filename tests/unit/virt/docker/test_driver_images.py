# SPDX-License-Identifier: Apache-2.0
"""The driver's calls that concern images, between Nova and ours."""

from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception
from nova.compute import task_states

from novadocker import errors
from novadocker.virt.docker import translation
from novadocker.virt.docker.driver import CONF
from tests.unit.virt.docker.nova_side import IMAGE_ID, UUID, Life, instance, with_parts

MISSING = errors.ContainerNotFound(name=f"nova-{UUID}")
UNSOUND = errors.ImageInvalid(image=IMAGE_ID, reason="it is empty")
REFUSED = errors.PolicyRefused(setting="os_command_line", value="''", accepted="words")


class Snapshots:
    """Takes what the driver hands on, and tells how far it is."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.taken: list[tuple[Any, ...]] = []
        self.swept: list[str] = []
        self.fault: Exception | None = None

    def take(self, context: Any, uuid: str, image_id: str, stages: Any) -> None:
        """Take a snapshot."""
        self.taken.append((uuid, image_id))
        stages.pending()
        if self.fault:
            raise self.fault
        stages.uploading()

    def sweep(self, host: str) -> None:
        """Sweep."""
        self.swept.append(host)


@pytest.fixture
def snapshots(docker_driver: Any) -> Snapshots:
    """What the driver makes images with."""
    made = Snapshots()
    with_parts(docker_driver, snapshots=made)
    return made


def test_nova_hears_how_far_a_snapshot_is(docker_driver: Any, snapshots: Snapshots) -> None:
    """Both states, in the order and with the expectations that its manager has."""
    told: list[dict[str, Any]] = []
    docker_driver.snapshot(None, instance(), "made", lambda **named: told.append(named))
    pending, uploading = task_states.IMAGE_PENDING_UPLOAD, task_states.IMAGE_UPLOADING
    assert snapshots.taken == [(UUID, "made")]
    assert told == [
        {"task_state": pending},
        {"task_state": uploading, "expected_state": pending},
    ]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (errors.SnapshotError(image="made", reason="x"), exception.NovaException),
        (errors.EngineUnavailable(url="u", reason="x"), exception.HypervisorUnavailable),
        (exception.ImageNotFound(image_id="made"), exception.ImageNotFound),
        (exception.InstanceNotFound(instance_id=UUID), exception.InstanceNotFound),
    ],
)
def test_nova_hears_why_there_is_no_snapshot(
    docker_driver: Any, snapshots: Snapshots, fault: Exception, expected: type[Exception]
) -> None:
    """Its own exceptions stay what they are: it knows what they mean."""
    snapshots.fault = fault
    with pytest.raises(expected):
        docker_driver.snapshot(None, instance(), "made", lambda **_: None)


def test_a_lost_container_does_not_look_like_a_deleted_server(
    docker_driver: Any, snapshots: Snapshots
) -> None:
    """Nova would leave the task to the deletion, which never comes."""
    snapshots.fault = MISSING
    with pytest.raises(exception.NovaException, match="knows no container") as raised:
        docker_driver.snapshot(None, instance(), "made", lambda **_: None)
    assert not isinstance(raised.value, exception.InstanceNotFound)


@pytest.mark.parametrize("removes", [True, False])
def test_the_image_cache_is_looked_through(
    docker_driver: Any,
    snapshots: Snapshots,
    removes: bool,
) -> None:
    """Images of servers are in use; an operator may keep all; leftovers go in any case."""
    used: list[Any] = []
    images = SimpleNamespace(forget_unused=lambda *args: used.append(args))
    with_parts(docker_driver, images=images)
    CONF.set_override("remove_unused_base_images", removes, group="image_cache")
    docker_driver.manage_image_cache(None, [instance(), instance(image_ref="")])
    assert [ids for ids, _ in used] == ([{IMAGE_ID, ""}] if removes else [])
    CONF.clear_override("remove_unused_base_images", group="image_cache")
    assert snapshots.swept == ["h1"]


def test_an_image_is_cached_as_glance_describes_it(
    docker_driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nova gives no more than its id."""
    asked: list[str] = []

    def cache(_context: Any, meta: str) -> bool:
        asked.append(meta)
        return True

    with_parts(docker_driver, images=SimpleNamespace(cache=cache))
    monkeypatch.setattr(translation, "described", lambda context, glance, image: f"meta {image}")
    assert docker_driver.cache_image(None, "5f0c") is True
    assert asked == ["meta 5f0c"]


def rebuild(docker_driver: Any, wanted: Any) -> None:
    """Rebuild a server as Nova does."""
    docker_driver.rebuild(None, wanted, wanted.image_meta, [], None, {}, [], None, None)


def test_a_rebuild_that_can_be_is_left_to_nova(docker_driver: Any, life: Life) -> None:
    """Image and settings are looked at while the old server is still there; it is not touched."""
    with pytest.raises(NotImplementedError):
        rebuild(docker_driver, instance())
    assert [call.action for call in life.calls] == ["Lifecycle.check_rebuild"]


def test_an_evacuation_is_left_to_nova(docker_driver: Any, life: Life) -> None:
    """The lost host's server is no server to be kept: a fault is the new boot's."""
    wanted = instance()
    with pytest.raises(NotImplementedError):
        docker_driver.rebuild(
            None, wanted, wanted.image_meta, [], None, {}, [], None, None, evacuate=True
        )
    assert life.calls == []
    assert docker_driver.capabilities["supports_evacuate"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(UNSOUND, exception.BuildAbortException), (REFUSED, exception.InstanceFaultRollback)],
)
def test_a_rebuild_that_cannot_be_is_refused(
    docker_driver: Any, life: Life, fault: Exception, expected: type[Exception]
) -> None:
    """Before Nova takes the old server away."""
    life.fault = fault
    with pytest.raises(expected):
        rebuild(docker_driver, instance())
