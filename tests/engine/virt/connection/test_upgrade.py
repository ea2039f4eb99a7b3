# SPDX-License-Identifier: Apache-2.0
"""An engine that is upgraded, and put back, under running servers."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.cloud.underlay import engine as underlay
from novadocker.errors import ContainerUnseen
from novadocker.virt.docker.actions.recovery.repairs import Expected
from novadocker.virt.docker.engine import Connection, Container, Engine, State
from novadocker.virt.docker.host import strays
from tests.engine.virt.conftest import Images, Servers, load_box
from tests.support import own_engine
from tests.support.engine_release import NEWEST, OLDEST, RELEASES, EngineRelease

SERVERS = 20
WAY = (OLDEST, RELEASES["26.1"], NEWEST, RELEASES["26.1"], OLDEST)


@pytest.fixture
def paths() -> Iterator[EnginePaths]:
    """Directories that one engine after another serves."""
    with own_engine.prepared() as made:
        yield made


@pytest.fixture
def servers(paths: EnginePaths, instances: Path) -> Iterator[Servers]:
    """Twenty servers that were booted on the oldest engine, which has ended since."""
    client = Engine(Connection(paths.url, timeout=60))
    with serving(OLDEST, paths):
        made = Servers(client, Images(load_box(client)), instances)
        for _ in range(SERVERS):
            boot_another(made)
    yield made
    client._api.close()


@contextmanager
def serving(release: EngineRelease, paths: EnginePaths) -> Iterator[None]:
    """Run a release of the engine at the same paths as the one before."""
    with release.first_in_path(), own_engine.serving(paths) as version:
        assert version == release.version()
        yield


def boot_another(servers: Servers) -> None:
    """Boot a server beside those that are there."""
    servers.boot("echo up; exec sleep 600", uuid=str(uuid.uuid4()))


def containers(servers: Servers) -> dict[str, Container]:
    """Return all servers' containers by name."""
    names = servers.engine.labels_by_name("novadocker.instance")
    return {name: servers.engine.inspect(name) for name in names}


def test_servers_outlive_each_step_up_and_down(paths: EnginePaths, servers: Servers) -> None:
    """Twenty processes go on from 20.10 to 28.5 and back, and can be worked with on each.

    Servers that were started on 28.5 are the exception on the way back: containerd 1.7 ends
    what it takes for the remains of containers, and the engine tells so.
    """
    before, started = {name: each.pid for name, each in look(paths, servers).items()}, {}
    assert len(before) == SERVERS
    for earlier, release in pairwise(WAY):
        with serving(release, paths):
            found = containers(servers)
            ended = {name: each for name, each in found.items() if not each.alive}
            assert set(ended) == (set(started) if earlier is NEWEST else set())
            for each in ended.values():
                assert each.exit_code in (137, 255)  # the real one is lost
                assert strays.living(each.id) == ()
                servers.engine.remove(each.name)
            still = {name: each.pid for name, each in found.items() if each.alive}
            assert still == {name: pid for name, pid in before.items() if name not in ended}
            started = use(servers)
            before = still | started


def look(paths: EnginePaths, servers: Servers) -> dict[str, Container]:
    """Return all servers' containers as the oldest engine sees them after its restart."""
    with serving(OLDEST, paths):
        return containers(servers)


def use(servers: Servers) -> dict[str, int]:
    """Look into a new server, freeze, thaw and restart it; return the new processes by name."""
    boot_another(servers)
    guest, engine = servers.guest, servers.engine
    servers.wait_for("up")
    assert engine.run(guest.name, ("/bin/test", "-e", "/bin/sh")) == (0, b"")
    guest.pause()
    assert guest.get().state is State.PAUSED
    guest.unpause()
    pid = guest.get().pid
    servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    assert guest.get().pid not in (0, pid)
    restarted = {guest.name: guest.get().pid}
    boot_another(servers)
    return restarted | {servers.guest.name: servers.guest.get().pid}


def test_servers_behind_the_engine_get_no_second_process(
    paths: EnginePaths, instances: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade without the namespace loses a server: told, not started, and not ended."""
    monkeypatch.setattr(underlay, "_DAEMON_JSON", {})
    client = Engine(Connection(paths.url, timeout=60))
    with serving(OLDEST, paths):
        servers = Servers(client, Images(load_box(client)), instances)
        boot_another(servers)
        pid = servers.guest.get().pid
    with serving(NEWEST, paths):
        lost = servers.guest.get()
        assert (lost.state, lost.pid) == (State.EXITED, 0)
        assert pid in strays.living(lost.id)
        with pytest.raises(ContainerUnseen, match=f"processes {pid} are alive"):
            servers.actions.recovery.at_start(servers.asked.uuid, Expected.AWAKE, servers.network)
        with pytest.raises(ContainerUnseen, match=f"processes {pid} are alive"):
            servers.actions.lifecycle.start(servers.asked, servers.network)
        assert psutil.pid_exists(pid)
    client._api.close()
