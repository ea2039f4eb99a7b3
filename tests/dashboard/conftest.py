# SPDX-License-Identifier: Apache-2.0
"""Cloud with a dashboard, and people at a browser."""

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from novadocker.cloud.machine import packages
from novadocker.cloud.supervision import dashboard as service
from tests.support.cloud_fixtures import additions
from tests.support.cloud_site import Site, Tenant
from tests.support.dashboard_pages import PROGRAMS, Browser, browser

WANTED = ("horizon", "heat")


@dataclass
class Things:
    """Names for things made by hand, found and removed at the end."""

    tenant: Tenant
    prefix: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:8]}")

    def name(self, what: str) -> str:
        """Return a name for something."""
        return f"{self.prefix}-{what}"

    def server(self, what: str) -> str:
        """Return the id of the server of that name."""
        return str(self.tenant.site.demo.compute.find_server(self.name(what)).id)

    def image(self, what: str) -> str:
        """Return the id of the image of that name."""
        return str(self.tenant.site.demo.image.find_image(self.name(what)).id)

    def leave(self) -> None:
        """Take all of it away."""
        cloud, tenant = self.tenant.site.demo, self.tenant
        tenant.servers += [each.id for each in cloud.compute.servers(name=self.prefix)]
        images = (each for each in cloud.image.images() if each.name.startswith(self.prefix))
        tenant.images += [each.id for each in images]
        tenant.leave()
        for address in cloud.network.ips():
            if address.port_id is None:
                cloud.network.delete_ip(address)


@pytest.fixture(scope="session")
def dashboard(site: Site) -> Iterator[str]:
    """Address of the dashboard; dashboard and Heat are stopped at the end unless running before."""
    packages.ensure(PROGRAMS)
    with additions(site, *WANTED):
        yield service.url(site.layout)


@pytest.fixture(scope="session")
def passwords(site: Site) -> dict[str, str]:
    """The passwords of the cloud's users."""
    kept = json.loads((site.layout.state / "credentials.json").read_text())
    return {name: kept[name] for name in ("demo", "admin")}


@pytest.fixture(scope="module")
def visitor(dashboard: str, passwords: dict[str, str]) -> Iterator[Callable[[str], Browser]]:
    """Opens a browser, and logs somebody in."""
    with contextlib.ExitStack() as undo:

        def enter(name: str) -> Browser:
            made = undo.enter_context(browser(dashboard))
            made.log_in(name, passwords[name])
            return made

        yield enter


@pytest.fixture(scope="module")
def person(visitor: Callable[[str], Browser]) -> Browser:
    """A tenant's browser."""
    return visitor("demo")


@pytest.fixture(scope="module")
def things(site: Site) -> Iterator[Things]:
    """Names of what the tests of a file make by hand."""
    made = Things(Tenant(site))
    try:
        yield made
    finally:
        made.leave()
