# SPDX-License-Identifier: Apache-2.0
"""Server that tests move between the hosts of a cloud."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from novadocker.cloud.layout.host import ComputeHost
from tests.support.cloud_fixtures import novadocker_cloud
from tests.support.cloud_site import Site, until

# The services of the two hosts share two processors with the rest of a cloud.
MOVE = 180.0


@dataclass
class Moved:
    """Server that a test moves."""

    site: Site
    server: str

    @property
    def host(self) -> ComputeHost:
        """Host of the server by Nova's record."""
        return self.site.layout.host(self.site.admin.compute.get_server(self.server).compute_host)

    @property
    def other(self) -> ComputeHost:
        """Host without the server."""
        here = self.host.name
        return next(each for each in self.site.layout.hosts if each.name != here)

    def container(self, host: ComputeHost) -> dict[str, Any] | None:
        """Return the engine's account of the server's container on a host."""
        with closing(engine_of(host)) as engine:
            try:
                found: dict[str, Any] = engine.inspect_container(f"nova-{self.server}")
            except docker.errors.NotFound:
                return None
            return found

    def run(self, script: str) -> str:
        """Run a script in the server, on the present host."""
        with closing(engine_of(self.host)) as engine:
            made = engine.exec_create(f"nova-{self.server}", ["sh", "-c", script])
            output = engine.exec_start(made["Id"]).decode(errors="replace")
            assert engine.exec_inspect(made["Id"])["ExitCode"] == 0, output
            return str(output)

    def file(self, path: str) -> Path:
        """Return a file of the running server, from the host's side."""
        found = self.container(self.host)
        assert found is not None
        return Path(found["GraphDriver"]["Data"]["MergedDir"]) / path.lstrip("/")

    def migrate(self) -> None:
        """Ask for the move to the other host."""
        compute = self.site.admin.compute
        compute.migrate_server(self.server, host=self.other.name)

    def move(self) -> None:
        """Move the server to the other host, up to the confirmation."""
        before = self.host.name
        self.migrate()
        self.site.wait(self.server, "VERIFY_RESIZE", MOVE)
        assert self.host.name != before

    def confirm(self) -> None:
        """Confirm the move."""
        self.site.demo.compute.confirm_server_resize(self.server)
        self.site.wait(self.server, "ACTIVE", MOVE)

    def assert_alone_on(self, host: ComputeHost) -> None:
        """See that the server runs on one host, and the other has nothing of it."""
        assert self.host.name == host.name
        found = self.container(host)
        assert found is not None
        assert found["State"]["Running"]
        until(lambda: self.container(self.other) is None, "the other container to go")
        assert not (self.other.nova_state / "instances" / self.server).exists()


def engine_of(host: ComputeHost) -> Any:
    """Return a client of a host's engine; the caller closes it."""
    return docker.APIClient(base_url=host.engine.url, version="auto", timeout=60)


def service_of(host: ComputeHost) -> str:
    """Name nova-compute of a host as the launcher does."""
    return "nova-compute" if host.number == 1 else f"nova-compute@{host.name}"


def act(fate: str, host: ComputeHost) -> None:
    """Let the launcher start, stop, kill or cut off a host."""
    done = novadocker_cloud("host", fate, host.name)
    assert done.returncode == 0, done.stdout + done.stderr
