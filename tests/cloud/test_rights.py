# SPDX-License-Identifier: Apache-2.0
"""Rights by flavor, through the whole cloud: refused at the API, given and narrowed at boot."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud_site import Site, Tenant, until

FLAVORS = "/flavors/{}/os-extra_specs"
NET_ADMIN = 1 << 12


@pytest.fixture
def flavor(site: Site) -> Iterator[Callable[..., Any]]:
    """How to make a flavor with extra specs in our namespace, as today's client sets them."""
    with contextlib.ExitStack() as stack:

        def make(**specs: str) -> Any:
            name = f"test-{uuid.uuid4().hex[:8]}"
            made = site.admin.compute.create_flavor(name=name, vcpus=1, ram=64, disk=1)
            stack.callback(site.admin.compute.delete_flavor, made)
            answer = set_specs(site, made.id, specs)
            assert answer.status_code == 200, answer.text
            return made.id

        yield make


def set_specs(site: Site, flavor: str, specs: dict[str, str]) -> Any:
    """Set extra specs and return Nova's answer."""
    body = {"extra_specs": {f"docker:{name.replace('__', '.')}": specs[name] for name in specs}}
    url = FLAVORS.format(flavor)
    return site.admin.compute.post(url, json=body, microversion="2.86", raise_exc=False)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("cap_add", "SYS_ADMIN", "without SYS_ADMIN, which nobody gets"),
        ("sysctl__kernel__core_pattern", "|/bin/x", "a parameter of network or IPC namespaces"),
        ("pids_limit", "unlimited", "a number from 1 to 4194304"),
        ("privileged", "true", "does not appear to be a valid extra spec"),
    ],
)
def test_a_wrong_extra_spec_is_refused_when_the_flavor_is_set(
    site: Site, flavor: Callable[..., Any], name: str, value: str, said: str
) -> None:
    """By nova-api, in our words; the flavor has none of it."""
    made = flavor(profile="baseline")
    answer = set_specs(site, made, {name: value, "read_only": "true"})
    assert answer.status_code == 400
    message = answer.json()["badRequest"]["message"]
    assert f"docker:{name.replace('__', '.')}" in message
    assert said in message
    left = site.admin.compute.get(FLAVORS.format(made)).json()["extra_specs"]
    assert left == {"docker:profile": "baseline"}


def test_a_flavor_grants_what_an_image_may_do_without(
    site: Site, tenant: Tenant, web: str, web_archive: Path, flavor: Callable[..., Any]
) -> None:
    """Of two images under a flavor, the image that drops a right runs without."""
    granting = flavor(cap_add="NET_ADMIN", sysctl__net__ipv4__ip_forward="1")
    less = tenant.upload(web_archive, docker_cap_drop="NET_ADMIN")
    servers = [tenant.request(web, flavor=granting), tenant.request(less, flavor=granting)]
    masks = []
    for server in servers:
        site.wait(server, "ACTIVE")
        assert site.run(server, "cat", "/proc/sys/net/ipv4/ip_forward") == "1\n"
        status = site.run(server, "cat", "/proc/1/status")
        masks.append(int(status.split("CapBnd:")[1].split()[0], 16))
    assert [bool(mask & NET_ADMIN) for mask in masks] == [True, False]


def test_what_is_beyond_its_bound_is_in_the_fault(
    site: Site, tenant: Tenant, web: str, web_archive: Path, flavor: Callable[..., Any]
) -> None:
    """The fault tells of an image beyond the flavor, and of a runtime missing on the host."""
    wanting = tenant.upload(web_archive, docker_cap_add="NET_ADMIN")
    refused = {
        tenant.request(wanting): "docker_cap_add = NET_ADMIN is refused; accepted is what the",
        tenant.request(web, flavor=flavor(runtime="runsc")): "this host's engine has: novadocker",
        tenant.request(web, flavor=flavor(profile="mine")): "restricted, baseline, system",
        tenant.request(web, flavor=flavor(profile="restricted")): "a user other than root",
    }
    for server, said in refused.items():
        site.wait(server, "ERROR")
        assert said in site.fault(server)


def test_a_resize_gives_the_rights_of_the_new_flavor(
    site: Site, tenant: Tenant, web: str, flavor: Callable[..., Any]
) -> None:
    """A resize to other rights keeps files and address; a revert takes the rights back."""
    server = tenant.boot(web)
    address = site.fixed_address(server)
    site.run(server, "touch", "/kept")
    site.demo.compute.resize_server(server, flavor(cap_add="NET_ADMIN"))
    site.wait(server, "VERIFY_RESIZE")
    assert "NET_ADMIN" in str(site.container(server)["HostConfig"]["CapAdd"])
    assert site.run(server, "ls", "/kept") == "/kept\n"
    assert address in site.run(server, "ip", "-o", "address")
    site.demo.compute.revert_server_resize(server)
    site.wait(server, "ACTIVE")
    assert "NET_ADMIN" not in str(site.container(server)["HostConfig"]["CapAdd"])
    until(lambda: site.run(server, "ls", "/kept"), "the file that was written")
