# SPDX-License-Identifier: Apache-2.0
"""Template beyond a container's abilities: places where the owner reads the reason."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cloud_site import Site, Tenant
from tests.support.cloud_stacks import EXAMPLES, Stacks

TEMPLATE = EXAMPLES / "heat/refused.yaml"
REASON = "not for containers"


@dataclass(frozen=True)
class Refused:
    """Request by Heat's API and by a tenant's command."""

    site: Site
    stacks: Stacks
    images: dict[str, str]

    def request(self, *, rollback: bool) -> str:
        """Ask for the stack and return its id."""
        return self.stacks.request(TEMPLATE, self.images, disable_rollback=not rollback)

    def typed(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `openstack stack` as the tenant."""
        told = {"OS_CLIENT_CONFIG_FILE": str(self.site.layout.clouds_yaml), "OS_CLOUD": "demo"}
        return subprocess.run(
            [Path(sys.executable).with_name("openstack"), "stack", *words],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, **told, "PYTHONWARNINGS": "ignore"},
        )


@pytest.fixture
def refused(
    site: Site, stacks: Stacks, web: str, web_archive: Path, tenant: Tenant
) -> Iterator[Refused]:
    """The template with an image that no container can be made of."""
    unfit = tenant.upload(web_archive, hw_firmware_type="uefi")
    yield Refused(site, stacks, {"image": web, "unfit_image": unfit})
    # Before the image goes: no server may refer to it any more.
    stacks.leave()


def test_a_stack_that_is_kept_shows_the_reason(refused: Refused) -> None:
    """`stack show` and `stack failures list` have the reason; the sound server is there."""
    stack = refused.request(rollback=False)
    assert REASON in refused.stacks.wait(stack, "CREATE_FAILED").stack_status_reason
    assert REASON in refused.typed("show", "-c", "stack_status_reason", stack).stdout
    assert REASON in refused.typed("failures", "list", stack).stdout
    servers = [refused.site.server(each) for each in refused.stacks.servers(stack)]
    assert sorted(each.status for each in servers) == ["ACTIVE", "ERROR"]
    refused.stacks.delete(stack)


def test_a_stack_that_is_rolled_back_tells_the_reason_in_its_events(refused: Refused) -> None:
    """A rollback leaves nothing, and the events have the reason."""
    stack = refused.request(rollback=True)
    ended = refused.stacks.wait(stack, "ROLLBACK_COMPLETE")
    assert ended.stack_status_reason == "Stack ROLLBACK completed successfully"
    assert not refused.stacks.servers(stack)
    failed = [each for each in refused.stacks.heat.events.list(stack) if _is_failure(each)]
    # The server's own, and the stack's: what 'stack show' had until the rollback began.
    assert {each.resource_name for each in failed} == {"second", ended.stack_name}
    assert all(REASON in each.resource_status_reason for each in failed)
    assert REASON in refused.typed("event", "list", stack).stdout
    refused.stacks.delete(stack)


def _is_failure(event: object) -> bool:
    return getattr(event, "resource_status", "") == "CREATE_FAILED"


def test_who_waits_for_a_stack_reads_the_reason(refused: Refused) -> None:
    """`stack create --wait` writes the reason at once, and ends in failure."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    given = [f"{key}={value}" for key, value in refused.images.items()]
    parameters = [word for each in given for word in ("--parameter", each)]
    wait = ("create", "--wait", "--poll", "1", "--enable-rollback", "-t", TEMPLATE)
    done = refused.typed(*wait, *parameters, name)
    stack = refused.stacks.heat.stacks.get(name, resolve_outputs=False).id
    refused.stacks.made.append(stack)
    assert done.returncode == 1
    assert REASON in done.stdout
    refused.stacks.wait(stack, "ROLLBACK_COMPLETE")
    refused.stacks.delete(stack)
