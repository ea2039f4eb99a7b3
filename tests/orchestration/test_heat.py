# SPDX-License-Identifier: Apache-2.0
"""Every template of examples/heat/: created, updated, checked and deleted."""

import contextlib
import json
from collections.abc import Iterator

import pytest
import requests

from novadocker.cloud.demo import limits
from novadocker.cloud.samples import CACHE
from novadocker.cloud.samples.applications import APPLICATIONS
from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)
from tests.support.cloud_stacks import EXAMPLES, Stacks, signal

HEAT = EXAMPLES / "heat"
SERVER, TWO_TIER, GROUP = HEAT / "server.yaml", HEAT / "two_tier.yaml", HEAT / "group.yaml"


@pytest.fixture(scope="module")
def images(site: Site) -> Iterator[dict[str, str]]:
    """The ids of the two tiers' images."""
    tenant, engine = Tenant(site), site.host.engine.url
    try:
        yield {
            name: tenant.upload(APPLICATIONS[name].saved(CACHE, engine))
            for name in ("redis", "guestbook")
        }
    finally:
        tenant.leave()


def test_one_server_comes_and_changes_in_place(site: Site, stacks: Stacks, web: str) -> None:
    """Port, group and address are the stack's; metadata and flavor change on the same server."""
    stack = stacks.create(SERVER, image=web, greeting="hello")
    server = stacks.output(stack, "server")
    assert "Hello from" in page(stacks.output(stack, "address"))
    assert "GREETING=hello" in site.run(server, "cat", "/proc/1/environ").split("\0")
    stacks.update(stack, SERVER, greeting="servus", flavor="c1.tiny")
    assert stacks.output(stack, "server") == server
    assert site.server(server).metadata == {"GREETING": "servus"}
    assert limits.of_server(site.host, server).memory_mib == 128
    stacks.check(stack)
    stacks.delete(stack)


def test_two_tiers_find_each_other(
    site: Site, stacks: Stacks, images: dict[str, str], web: str
) -> None:
    """The web tier's environment has the database's address, and nobody else reaches it."""
    parameters = {"database_image": images["redis"], "web_image": images["guestbook"]}
    stack = stacks.create(TWO_TIER, **parameters)
    url = stacks.output(stack, "url")
    seen = until(lambda: _guest(url), "a guest's number")
    assert seen.startswith("Guest number ")
    assert int(_guest(url).split()[2].rstrip(",")) == int(seen.split()[2].rstrip(",")) + 1
    stacks.update(stack, TWO_TIER, flavor="c1.tiny")
    assert "Guest number" in until(lambda: _guest(url), "a guest's number after the update")
    stacks.check(stack)
    stacks.delete(stack)


def _guest(url: str) -> str:
    with contextlib.suppress(requests.ConnectionError):
        text = requests.get(url, timeout=5).text
        return text if "number" in text else ""
    return ""


def test_a_group_grows_and_is_renewed_in_turn(
    site: Site, stacks: Stacks, web: str, running: str
) -> None:
    """Another number adds servers; another image replaces each, one after the other."""
    stack = stacks.create(GROUP, image=web, count=1)
    (first,) = stacks.output(stack, "servers")
    stacks.update(stack, GROUP, count=2)
    two = stacks.output(stack, "servers")
    assert first in two
    stacks.update(stack, GROUP, image=running)
    renewed = stacks.output(stack, "servers")
    assert not set(renewed) & set(two)
    assert {site.server(each).image.id for each in renewed} == {running}
    assert len({site.server(each).created_at for each in renewed}) == 2
    stacks.check(stack)
    stacks.delete(stack)


def test_a_group_grows_by_a_request_from_a_server_of_its_own(
    site: Site, stacks: Stacks, web: str
) -> None:
    """A scaling policy's signed URL works from inside a container, and from outside."""
    template = HEAT / "autoscaling.yaml"
    stack = stacks.create(template, image=web)
    (first,) = stacks.servers(stack)
    site.run(first, "wget", "-q", "-O", "-", "--post-data", "", stacks.output(stack, "grow"))
    until(lambda: len(_active(site, stacks, stack)) == 2, "the group to have grown")
    until(lambda: _is_shrunk(stacks, stack), "the group to have shrunk")
    stacks.update(stack, template, at_least=2)
    assert len(_active(site, stacks, stack)) == 2
    stacks.check(stack)
    stacks.delete(stack)


def _is_shrunk(stacks: Stacks, stack: str) -> bool:
    # Heat drops a signal while the group is still at work on the last one; at least one stays.
    signal(stacks.output(stack, "shrink"))
    return len(stacks.servers(stack)) == 1


def _active(site: Site, stacks: Stacks, stack: str) -> list[str]:
    found = [each for each in stacks.servers(stack) if each]
    return [each for each in found if site.server(each).status == "ACTIVE"]


def test_a_stack_waits_for_what_its_server_says(site: Site, stacks: Stacks, running: str) -> None:
    """A wait condition is met by a request from the container itself."""
    stack = stacks.create(HEAT / "wait_condition.yaml", image=running)
    server = site.server(stacks.output(stack, "server"))
    assert f"{server.hostname} is ready" in stacks.output(stack, "said")
    stacks.check(stack)
    stacks.delete(stack)


def test_all_inputs_of_a_template_arrive(site: Site, stacks: Stacks, running: str) -> None:
    """Environment, key, config drive and raw user data; Heat's own bundle is not run."""
    template = HEAT / "inputs.yaml"
    raw = stacks.request(template, {"image": running})
    bundled = stacks.request(template, {"image": running, "format": "HEAT_CFNTOOLS"})
    stacks.wait(raw, "CREATE_COMPLETE")
    server = stacks.output(raw, "server")
    until(lambda: "ran by light green" in site.console(server), "the user data to have run")
    assert "ran by" in site.run(server, "cat", "/config-drive/openstack/latest/user_data")
    assert "ssh-" in site.run(server, "cat", "/root/.ssh/authorized_keys")
    stacks.wait(bundled, "CREATE_COMPLETE")
    server = stacks.output(bundled, "server")
    until(lambda: "left alone" in site.console(server), "the console to tell of the bundle")
    assert "ran by" not in site.console(server)
    for stack in (raw, bundled):
        stacks.delete(stack)


def test_a_stack_lets_go_of_its_server_and_takes_it_back(
    site: Site, stacks: Stacks, web: str
) -> None:
    """An abandoned stack leaves its server running; an adopting stack owns the same server."""
    stack = stacks.create(SERVER, image=web)
    server = stacks.output(stack, "server")
    left = stacks.heat.stacks.abandon(stack)
    stacks.made.remove(stack)
    site.wait(server, "ACTIVE")
    adopted = stacks.request(SERVER, {"image": web}, adopt_stack_data=json.dumps(left))
    stacks.wait(adopted, "ADOPT_COMPLETE")
    assert stacks.output(adopted, "server") == server
    stacks.delete(adopted)
