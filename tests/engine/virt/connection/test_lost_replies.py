# SPDX-License-Identifier: Apache-2.0
"""Replies that are lost after the engine has acted: each operation goes on as if none were."""

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nova.objects.image_meta import ImageMeta

from novadocker.errors import EngineReplyLost
from novadocker.policy import Flavor
from novadocker.virt.docker.actions.recovery import recreations
from novadocker.virt.docker.engine import Connection, Engine, State, settling
from novadocker.virt.docker.images import Images
from tests.engine.virt.conftest import rootfs, saved
from tests.support.doubles.glance_double import ALICE, Glance
from tests.support.doubles.lossy_engine import LossyEngine

pytestmark = pytest.mark.usefixtures("privileged")

CREATE, RENAME = "POST /containers/create", "POST /containers/.*/rename"
REMOVE, COMMIT, LOAD = "DELETE /containers/", "POST /commit", "POST /images/load"
SMALL = Flavor(vcpus=1, memory_mib=32, root_gib=1)
OTHER_RIGHTS = replace(SMALL, extra_specs={"docker:cap_add": "NET_ADMIN"})


@pytest.fixture
def lossy(engine_socket: Path) -> Iterator[LossyEngine]:
    """The engine behind a proxy."""
    with (
        tempfile.TemporaryDirectory(prefix="nd-") as directory,
        LossyEngine(Path(directory) / "lossy.sock", engine_socket).serve() as made,
    ):
        yield made


@pytest.fixture
def over(servers: Any, lossy: LossyEngine) -> Any:
    """The servers, whose driver speaks to the proxy."""
    servers.engine = Engine(Connection(lossy.url, timeout=60))
    return servers


def names(servers: Any) -> list[str]:
    """Name all containers of the server."""
    return sorted(servers.engine.labels_by_name(f"novadocker.instance={servers.asked.uuid}"))


def test_a_boot_goes_on_with_the_container_that_was_made(over: Any, lossy: LossyEngine) -> None:
    """The container is found by its name, and runs."""
    lossy.lose(CREATE)
    assert over.boot().state is State.RUNNING
    assert len(lossy.lost) == 1


def test_a_removal_whose_reply_is_lost_is_asked_for_again(over: Any, lossy: LossyEngine) -> None:
    """Nothing of the server is left, and no fault reaches Nova."""
    over.boot()
    lossy.lose(REMOVE)
    over.actions.lifecycle.remove(over.asked.uuid, over.network)
    assert (names(over), list(over.instances.iterdir())) == ([], [])
    assert len(lossy.lost) == 1


@pytest.mark.parametrize(
    "lost",
    [[CREATE], [RENAME], [RENAME, RENAME], [CREATE, RENAME, RENAME]],
    ids=lambda lost: "+".join(each.rsplit("/", 1)[1] for each in lost),
)
def test_a_resize_goes_on_past_lost_replies(over: Any, lossy: LossyEngine, lost: list[str]) -> None:
    """The server runs under its new rights with its files, and its original waits."""
    over.boot("echo kept >/file; exec sleep 600", flavor=SMALL)
    before = over.guest.get().id
    over.ask(flavor=OTHER_RIGHTS)
    over.actions.resize.prepare(over.asked, over.network, 0)
    lossy.lose(*lost)
    over.actions.resize.finish(over.asked, over.network, power_on=True)
    assert len(lossy.lost) == len(lost)
    assert over.engine.inspect(over.asked.container + recreations.PREDECESSOR).id == before
    assert len(names(over)) == 2
    lossy.lose(REMOVE, RENAME)
    over.ask(flavor=SMALL)
    over.actions.resize.revert(over.asked, over.network, power_on=True)
    assert (names(over), over.guest.get().id) == ([over.asked.container], before)


def test_a_commit_is_not_taken_for_an_earlier_one(
    over: Any, lossy: LossyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image of the same name that was there before holds older files."""
    over.boot()
    name, tag = over.asked.container, f"nova-snapshot/{uuid.uuid4()}:x"
    before = over.engine.commit(name, tag, pause=False)
    lossy.lose(COMMIT)
    after = over.engine.commit(name, tag, pause=False)
    assert (after != before, over.engine.find_image(tag).id) == (True, after)
    monkeypatch.setattr(settling, "SECONDS", 1.0)
    monkeypatch.setattr(over.engine._api, "inspect_image", lambda _: {"Id": before})
    lossy.lose(COMMIT)
    with pytest.raises(EngineReplyLost):
        over.engine.commit(name, tag, pause=False)
    monkeypatch.undo()
    over.engine.remove_image(tag)


def test_an_image_that_arrived_is_not_loaded_again(lossy: LossyEngine) -> None:
    """The engine tells that the image is there; Glance was read once."""
    glance = Glance()
    name = glance.add(saved(rootfs(), {"Cmd": ["/bin/sh", uuid.uuid4().hex]}, "box:lost"))
    engine = Engine(Connection(lossy.url, timeout=60))
    images = Images(engine, glance)  # type: ignore[arg-type]
    meta = ImageMeta.from_dict(
        {
            "id": name,
            "checksum": glance.images[name].checksum,
            "container_format": "docker",
            "disk_format": "raw",
            "properties": {},
        }
    )
    lossy.lose(LOAD)
    loaded = images.ensure(SimpleNamespace(user=ALICE), meta)
    assert (len(lossy.lost), glance.downloads) == (1, [name])
    assert engine.find_image(loaded.id) == loaded
    engine.remove_image(loaded.id)


def test_a_container_that_came_too_late_is_no_hindrance(over: Any) -> None:
    """The next boot of the server removes the container of the one that was given up."""
    over.boot(power_on=False)
    late = over.guest.get()
    over.actions.lifecycle._runner.directory(over.asked.uuid).remove()
    booted = over.boot()
    assert (booted.state, booted.id != late.id) == (State.RUNNING, True)
