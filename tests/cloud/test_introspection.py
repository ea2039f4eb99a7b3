# SPDX-License-Identifier: Apache-2.0
"""Facts on a server for tenant and operator, from outside."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from openstack.exceptions import BadRequestException

from tests.cloud.images.test_images import members, tar
from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)

PROBE = "if test -e /sick; then echo it is sick; exit 1; fi"
SECOND = 10**9


def with_probe(archive: bytes) -> bytes:
    """Return a saved image that has a HEALTHCHECK."""
    files = members(archive)
    (manifest,) = json.loads(files["manifest.json"])
    config = json.loads(files.pop(manifest["Config"]))
    config["config"]["Healthcheck"] = {
        "Test": ["CMD-SHELL", PROBE],
        "Interval": SECOND,
        "Retries": 1,
    }
    written = json.dumps(config).encode()
    manifest["Config"] = f"{hashlib.sha256(written).hexdigest()}.json"
    files[manifest["Config"]] = written
    files["manifest.json"] = json.dumps([manifest]).encode()
    return tar(files)


def health(site: Site, server: str) -> list[str]:
    """Return a server's health by the tags."""
    tags = site.server(server).tags or []
    return [tag.removeprefix("docker_health=") for tag in tags if tag.startswith("docker_health=")]


def test_its_health_is_a_tag(site: Site, tenant: Tenant, web_archive: Path) -> None:
    """The image's HEALTHCHECK decides the health in lists; stopped servers have none."""
    image = tenant.upload(with_probe(web_archive.read_bytes()))
    server = tenant.boot(image, tags=["mine"])
    until(lambda: health(site, server) == ["healthy"], "a healthy server")
    site.run(server, "touch", "/sick")
    until(lambda: health(site, server) == ["unhealthy"], "a sick server")
    found = site.demo.compute.servers(tags="docker_health=unhealthy,mine")
    assert [each.id for each in found] == [server]
    assert "HEALTHCHECK failed" in site.console(server)
    assert "it is sick" in site.console(server)
    site.run(server, "rm", "/sick")
    site.demo.compute.reboot_server(server, "HARD")
    until(lambda: health(site, server) == ["healthy"], "a server that is well again")
    site.demo.compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    rights = "docker_profile=baseline"
    until(lambda: {*site.server(server).tags} == {"mine", rights}, "only tags that still hold")


def test_its_diagnostics_tell_what_it_uses(
    site: Site, standing: str, standing_address: str
) -> None:
    """Processor, memory, disk and each port, in the server's own directions; old and new form."""
    page(standing_address)
    (port,) = site.ports(standing)
    told = _diagnostics(site, standing, "2.48")
    assert (told["state"], told["hypervisor"], told["num_cpus"]) == ("running", "docker", 1)
    flavor = site.server(standing).flavor
    assert told["memory_details"]["maximum"] == flavor.ram
    assert 0 <= told["memory_details"]["used"] < flavor.ram
    assert told["cpu_details"][0]["time"] > 0
    (nic,) = told["nic_details"]
    assert nic["mac_address"] == port.mac_address
    seen = site.run(standing, "cat", "/proc/net/dev").split("eth0:")[1].split()
    assert abs(nic["rx_packets"] - int(seen[1])) < 10
    assert abs(nic["tx_packets"] - int(seen[9])) < 10
    old = _diagnostics(site, standing, "2.1")
    assert 0 < old["memory-rss"] < old["memory"] == flavor.ram * 1024
    assert old[f"tap{port.id[:11]}_rx_packets"] >= nic["rx_packets"]


def _diagnostics(site: Site, server: str, version: str) -> Any:
    answer = site.admin.compute.get(f"/servers/{server}/diagnostics", microversion=version)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_crash_that_its_process_would_not_notice_is_refused(site: Site, standing: str) -> None:
    """The request's record says so, and the server runs on."""
    site.demo.compute.trigger_server_crash_dump(standing)

    def result() -> Any:
        for action in site.admin.compute.server_actions(standing):
            if action.action == "trigger_crash_dump":
                found = site.admin.compute.get_server_action(action, server=standing)
                return found.events and found.events[0]["result"]
        return None

    assert until(result, "the request to end") == "Error"
    assert site.server(standing).status == "ACTIVE"


def test_the_hypervisor_tells_how_it_is(site: Site, standing: str) -> None:
    """A hypervisor shows uptime, kind, size and servers."""
    (hypervisor,) = [
        each
        for each in site.admin.compute.hypervisors(details=True, with_servers=True)
        if each.hypervisor_type == "docker"
    ]
    assert hypervisor.state == "up"
    assert standing in [each["uuid"] for each in hypervisor.servers]
    shown = site.admin.compute.get_hypervisor(hypervisor)
    assert "load average: " in shown.uptime
    assert " up " in shown.uptime


def test_servers_that_shun_each_other_do_not_share_a_host(
    site: Site, tenant: Tenant, web: str
) -> None:
    """Affinity keeps two on one host; anti-affinity finds no second where there is only one."""
    compute, asked = site.demo.compute, {}
    for policy in ("affinity", "anti-affinity"):
        group = compute.create_server_group(name=f"test-{policy}", policy=policy)
        tenant._undo.callback(compute.delete_server_group, group)
        hints = {"group": group.id}
        asked[policy] = [tenant.request(web, scheduler_hints=hints) for _ in range(2)]
    assert [_end(site, server) for server in asked["affinity"]] == ["ACTIVE", "ACTIVE"]
    ends = {_end(site, server): server for server in asked["anti-affinity"]}
    assert sorted(ends) == ["ACTIVE", "ERROR"]
    assert "No valid host" in site.fault(ends["ERROR"])


def _end(site: Site, server: str) -> str:
    until(lambda: site.server(server).status != "BUILD", "the build to end")
    return str(site.server(server).status)


def test_a_zone_that_does_not_exist_is_refused(
    site: Site, tenant: Tenant, web: str, standing: str
) -> None:
    """A server is in the zone of its host; nobody can ask for another than there are."""
    assert site.server(standing).availability_zone == "nova"
    with pytest.raises(BadRequestException, match="availability zone"):
        tenant.request(web, availability_zone="elsewhere")
