# SPDX-License-Identifier: Apache-2.0
"""Stacks of a whole cloud: orchestration is there while tests want it, and nothing stays."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from heatclient.client import Client
from heatclient.common import template_utils
from heatclient.exc import HTTPNotFound

from novadocker.cloud.layout.layout import REGION
from novadocker.cloud.machine import remains_of_server
from tests.support.cloud_fixtures import additions
from tests.support.cloud_site import Site, Tenant, until

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 240
SERVER = "OS::Nova::Server"
DEPTH = 3


@dataclass
class Stacks:
    """Makes stacks as the tenant, and takes them all away again."""

    site: Site
    heat: Any
    made: list[str] = field(default_factory=list)

    def request(self, path: Path, parameters: Mapping[str, Any], **options: Any) -> str:
        """Ask for a stack of a template and return its id."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        answer = self.heat.stacks.create(
            stack_name=name, parameters=dict(parameters), **template(path), **options
        )
        self.made.append(answer["stack"]["id"])
        return self.made[-1]

    def create(self, path: Path, **parameters: Any) -> str:
        """Make a stack of a template and return its id."""
        stack = self.request(path, parameters)
        self.wait(stack, "CREATE_COMPLETE")
        return stack

    def update(self, stack: str, path: Path, **parameters: Any) -> None:
        """Give a stack other parameters and wait until they hold."""
        self.heat.stacks.update(stack, parameters=parameters, existing=True, **template(path))
        self.wait(stack, "UPDATE_COMPLETE")

    def check(self, stack: str) -> None:
        """Have a stack's resources looked at, and see that all are well."""
        self.heat.actions.check(stack)
        self.wait(stack, "CHECK_COMPLETE")

    def wait(self, stack: str, status: str) -> Any:
        """Wait until a stack has a status and return it."""
        verb = status.partition("_")[0]

        def ended() -> Any:
            found = self.heat.stacks.get(stack, resolve_outputs=False)
            passing = found.stack_status.endswith("_IN_PROGRESS")
            return found if not passing and found.stack_status.startswith(verb) else None

        found = until(ended, f"stack {stack} to be {status}", PATIENCE)
        assert found.stack_status == status, found.stack_status_reason
        return found

    def output(self, stack: str, name: str) -> Any:
        """Return one output of a stack."""
        return self.heat.stacks.output_show(stack, name)["output"]["output_value"]

    def servers(self, stack: str) -> list[str]:
        """Return the ids of a stack's servers, those of nested stacks too."""
        found = self.heat.resources.list(stack, nested_depth=DEPTH)
        return [each.physical_resource_id for each in found if each.resource_type == SERVER]

    def delete(self, stack: str) -> None:
        """Delete a stack, and look for leftovers."""
        subjects = [
            remains_of_server.subject(self.site.demo, server)
            for server in self.servers(stack)
            if server
        ]
        self.heat.stacks.delete(stack)
        until(lambda: self._is_gone(stack), f"stack {stack} to be gone", PATIENCE)
        self.made.remove(stack)
        for subject in subjects:
            assert not remains_of_server.left(self.site.layout, self.site.admin, subject)

    def leave(self) -> None:
        """Delete what is left."""
        for stack in list(self.made):
            self.delete(stack)

    def _is_gone(self, stack: str) -> bool:
        try:
            found = self.heat.stacks.get(stack, resolve_outputs=False)
        except HTTPNotFound:
            return True
        assert found.stack_status != "DELETE_FAILED", found.stack_status_reason
        return bool(found.stack_status == "DELETE_COMPLETE")


def template(path: Path) -> dict[str, Any]:
    """Return a template with the named files."""
    files, text = template_utils.get_template_contents(str(path))
    return {"template": text, "files": files}


def signal(url: str) -> None:
    """Send what a URL of a scaling policy waits for."""
    requests.post(url, timeout=60).raise_for_status()


@pytest.fixture(scope="session")
def orchestration(site: Site) -> Iterator[Any]:
    """Client of Heat, with Heat stopped at the end unless running before."""
    with additions(site, "heat"):
        yield Client("1", session=site.demo.session, region_name=REGION)


@pytest.fixture(scope="module")
def running(owner: Tenant, web_archive: Path) -> str:
    """The id of an image whose user data are run."""
    return owner.upload(web_archive, docker_user_data="run")


@pytest.fixture
def stacks(site: Site, orchestration: Any) -> Iterator[Stacks]:
    """Makes stacks; afterwards nothing of them may be left."""
    made = Stacks(site, orchestration)
    try:
        yield made
    finally:
        made.leave()
