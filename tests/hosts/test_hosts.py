# SPDX-License-Identifier: Apache-2.0
"""Cloud of two compute hosts: servers meet across hosts, and hosts go and come back."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import docker
import psutil
import pytest
from pyroute2 import netns

from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.machine import packages, processes
from tests.hosts.moved import act
from tests.support.cloud_fixtures import novadocker_cloud
from tests.support.cloud_site import Site, Tenant, page, until

CIDR = "10.77.0.0/24"
# A host that comes back starts its services, and Nova starts its servers after them.
RETURN = 180.0


@dataclass(frozen=True)
class Placed:
    """Server, with the compute host below."""

    site: Site
    server: str
    host: ComputeHost

    def run(self, *argv: str) -> tuple[int, str]:
        """Run a program in the server; return its exit code and output."""
        url = self.host.engine.url
        with closing(docker.APIClient(base_url=url, version="auto", timeout=60)) as engine:
            made = engine.exec_create(f"nova-{self.server}", list(argv))
            output = engine.exec_start(made["Id"]).decode(errors="replace")
            return engine.exec_inspect(made["Id"])["ExitCode"], output

    def ping(self, address: str, *options: str) -> bool:
        """Tell that an address answers to pings from the server's network namespace."""
        # By the machine's program: that of the image may want a right that it has not.
        words: tuple[str, ...] = ("nsenter", "--net", "--target", str(self._state()["Pid"]))
        words += ("ping", "-q", "-W", "1", *(options or ("-c", "1")), address)
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    def is_running(self) -> bool:
        """Tell that the server's container runs."""
        return bool(self._state()["Running"])

    def _state(self) -> dict[str, Any]:
        url = self.host.engine.url
        with closing(docker.APIClient(base_url=url, version="auto", timeout=60)) as engine:
            found: dict[str, Any] = engine.inspect_container(f"nova-{self.server}")["State"]
            return found


@pytest.fixture(scope="module")
def second(site: Site) -> ComputeHost:
    """Return the second compute host."""
    assert site.layout.settings.computes > 1, "novadocker-cloud up --computes 2"
    packages.ensure({"ping": "iputils-ping"})
    return site.layout.host("docker2")


@pytest.fixture(scope="module")
def pair(site: Site, owner: Tenant, web: str, second: ComputeHost) -> tuple[Placed, Placed]:
    """Return two servers on one network, on the first host and on the second."""
    compute = site.demo.compute
    network = owner.network(CIDR, routed=True)
    group = compute.create_server_group(name="apart", policy="anti-affinity")
    try:
        hints = {"group": group.id}
        servers = [owner.boot(web, networks=(network,), scheduler_hints=hints) for _ in range(2)]
    finally:
        compute.delete_server_group(group)
    found = [_placed(site, server) for server in servers]
    found.sort(key=lambda placed: placed.host.number)
    assert [placed.host.name for placed in found] == [site.host.name, second.name]
    return found[0], found[1]


def _placed(site: Site, server: str) -> Placed:
    return Placed(
        site, server, site.layout.host(site.admin.compute.get_server(server).compute_host)
    )


def _address(placed: Placed) -> str:
    (fixed,) = placed.site.ports(placed.server)[0].fixed_ips
    return str(fixed["ip_address"])


@pytest.fixture
def restored(second: ComputeHost) -> Iterator[None]:
    """Bring the second host back after a test."""
    yield
    act("start", second)


def _meet(one: Placed, other: Placed) -> bool:
    return one.ping(_address(other)) and other.ping(_address(one))


def test_servers_on_two_hosts_meet_through_the_tunnel(
    pair: tuple[Placed, Placed], second: ComputeHost
) -> None:
    """Packets of a network pass between hosts, and over the tunnel's cable."""
    one, other = pair
    until(lambda: _meet(one, other), "servers to reach each other")
    assert second.cabling is not None
    plug = second.cabling.tunnel(2).plug
    before = psutil.net_io_counters(pernic=True)[plug].bytes_recv
    assert one.ping(_address(other), "-c", "20", "-i", "0.1", "-s", "1000")
    after = psutil.net_io_counters(pernic=True)[plug].bytes_recv
    assert after - before > 20 * 1000


def test_a_page_comes_whole_from_the_other_host(pair: tuple[Placed, Placed]) -> None:
    """TCP works between hosts, with the checksums that a switch in user space needs."""
    one, other = pair
    for placed, there in ((one, other), (other, one)):
        code, output = placed.run("timeout", "5", "wget", "-qO-", f"http://{_address(there)}/")
        assert code == 0, output
        assert "Hello from" in output


def test_a_server_of_the_second_host_has_metadata_and_a_floating_address(
    site: Site, pair: tuple[Placed, Placed]
) -> None:
    """Metadata and floating addresses work on the second host as on the first."""
    _, other = pair
    if site.layout.settings.network == "ovn":
        url = "http://169.254.169.254/openstack/latest/meta_data.json"
        code, output = other.run("timeout", "10", "wget", "-qO-", url)
        assert (code, other.server in output) == (0, True), output
    assert "Hello from" in page(site.give_address(other.server))


@pytest.mark.usefixtures("restored")
def test_a_host_that_is_cut_off_runs_on_and_reaches_nobody(
    pair: tuple[Placed, Placed], second: ComputeHost
) -> None:
    """A server there loses the network and nothing else, until the cables are back."""
    one, other = pair
    act("cut", second)
    assert "cables@docker2" in novadocker_cloud("status").stdout
    assert not other.ping(_address(one))
    assert other.is_running()
    act("start", second)
    until(lambda: _meet(one, other), "servers to reach each other", RETURN)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("fate", ["kill", "stop"])
def test_a_host_goes_and_comes_back_with_its_servers(
    site: Site, pair: tuple[Placed, Placed], second: ComputeHost, fate: str
) -> None:
    """A host taken away leaves nothing on the machine, and returns with running servers."""
    one, other = pair
    act(fate, second)
    assert list(processes.processes(site.layout, second.name)) == []
    assert second.namespace not in netns.listnetns()
    assert one.is_running()
    act("start", second)
    until(other.is_running, "the server to run again", RETURN)
    until(lambda: _meet(one, other), "servers to reach each other", RETURN)
    assert site.wait(other.server, "ACTIVE", RETURN)


def test_the_first_host_cannot_be_cut_off(site: Site) -> None:
    """The control plane's own network is no cable, which the command says."""
    done = novadocker_cloud("host", "cut", site.host.name)
    assert done.returncode == 1
    assert "same network as the control plane" in done.stderr
