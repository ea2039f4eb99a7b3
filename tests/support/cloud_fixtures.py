# SPDX-License-Identifier: Apache-2.0
"""Fixtures of a whole cloud, started at a test's first use."""

import base64
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from novadocker.cloud.cli import DEFAULT_STATE, STATE_VARIABLE
from novadocker.cloud.layout import settings
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.samples import CACHE, WEB, programs
from novadocker.cloud.seed.identity import connect
from novadocker.cloud.supervision import supervisor
from tests.support.cloud_site import Site, Tenant


def novadocker_cloud(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher."""
    return subprocess.run(
        [sys.executable, "-m", "novadocker.cloud", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )


def state() -> Path:
    """Return the cloud's state directory."""
    return Path(os.environ.get(STATE_VARIABLE, DEFAULT_STATE))


@contextlib.contextmanager
def additions(site: Site, *names: str) -> Iterator[None]:
    """Have additions to the cloud; what was not there before is taken away again."""
    kept = settings.load(site.layout.state)
    missing = ",".join(name for name in names if not getattr(kept, name))
    with contextlib.ExitStack() as undo:
        if missing:
            undo.callback(novadocker_cloud, "up", "--without", missing)
            up = novadocker_cloud("up", "--with", missing)
            assert up.returncode == 0, up.stdout + up.stderr
        yield


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Yield the running cloud, or a cloud started now and stopped at the end."""
    programs.ensure()
    where = state()
    was_up = settings.is_ours(where) and supervisor.is_running(Layout(where, settings.load(where)))
    with contextlib.ExitStack() as undo:
        if not was_up:
            undo.callback(novadocker_cloud, "down")
        up = novadocker_cloud("up")
        assert up.returncode == 0, up.stdout + up.stderr
        layout = Layout(where, settings.load(where))
        url = layout.hosts[0].engine.url
        yield Site(
            layout,
            undo.enter_context(connect(layout, "admin")),
            undo.enter_context(connect(layout, "demo")),
            undo.enter_context(
                contextlib.closing(docker.APIClient(base_url=url, version="auto", timeout=60))
            ),
        )


@pytest.fixture(scope="session")
def web_archive(site: Site) -> Path:
    """Return the archive, by ``docker save``, of the sample image with a web server."""
    return WEB.saved(CACHE, site.host.engine.url)


@pytest.fixture(scope="session")
def web(site: Site, web_archive: Path) -> Iterator[str]:
    """The id of the uploaded image with a web server."""
    tenant = Tenant(site)
    try:
        yield tenant.upload(web_archive)
    finally:
        tenant.leave()


@pytest.fixture
def tenant(site: Site) -> Iterator[Tenant]:
    """Yield a maker of servers with everything needed; no trace may be left afterwards."""
    made = Tenant(site)
    try:
        yield made
    finally:
        made.leave()


@pytest.fixture(scope="module")
def owner(site: Site) -> Iterator[Tenant]:
    """Yield a maker of servers shared by a file's tests; no trace may be left after the last."""
    made = Tenant(site)
    try:
        yield made
    finally:
        made.leave()


@pytest.fixture(scope="session")
def standing(site: Site, web: str) -> Iterator[str]:
    """A server that tests only look at."""
    made = Tenant(site)
    try:
        yield made.boot(
            web,
            name="standing",
            key_name="demo",
            metadata={"COLOUR": "light green", "answer": "42"},
            user_data=base64.b64encode(b"what the user says").decode(),
        )
    finally:
        made.leave()


@pytest.fixture(scope="session")
def standing_address(site: Site, standing: str) -> str:
    """The floating address of that server."""
    return site.give_address(standing)


# What the SDK says of its own next version.
_OF_THE_SDK = (
    "ignore::openstack.warnings.OpenStackDeprecationWarning",
    "ignore::openstack.warnings._RemovedInSDKWarning",
)
# Docker's library leaves a socket unclosed when no engine listens.
_OF_DOCKERS = r"ignore:unclosed <socket.socket fd=\d+, family=1,:ResourceWarning"


def pytest_configure(config: pytest.Config) -> None:
    """Accept the SDK's warnings, at a session's end too, when no test is there to accept them."""
    for warning in _OF_THE_SDK:
        config.addinivalue_line("filterwarnings", warning)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Accept Docker's warning in tests on a cloud."""
    if "site" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.filterwarnings(_OF_DOCKERS))
