# SPDX-License-Identifier: Apache-2.0
"""Wiring of the driver on a host with VRFs."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from oslo_config import cfg

from novadocker.cloud.doubles.opensdn.control import Subnet, VirtualNetwork
from novadocker.virt.docker.conf.values import VRouterOptions
from novadocker.virt.docker.privileged import context as daemon
from novadocker.virt.docker.wiring import Wiring, backends
from tests.engine.opensdn.host import PATIENCE, Site
from tests.engine.opensdn.test_vrfs import reach
from tests.engine.wiring.conftest import _oslo_privsep_keeping_files_open
from tests.engine.wiring.contrail_ports import contrail_vif
from tests.engine.wiring.stand_in import CLONE_NEWNET, LIBC, Server, an_instance, run, sleeping
from tests.support.eventually import eventually

SUBNETS = (Subnet("10.0.0.0/24", "10.0.0.1"), Subnet("fd00::/64", "fd00::1"))


@pytest.fixture(scope="module")
def wiring(two_hosts: Site) -> Iterator[Wiring]:
    """Wiring of the driver in the first host's namespace, with a privileged daemon."""
    with Path("/proc/thread-self/ns/net").open() as before:
        with Path(f"/run/netns/{two_hosts.one.name}").open() as there:
            assert LIBC.setns(there.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        section = daemon.context.cfg_section
        helper = str(Path(sys.prefix) / "bin" / "privsep-helper")
        cfg.CONF.set_override("helper_command", helper, group=section)
        with _oslo_privsep_keeping_files_open():
            daemon.ready()
        yield _wiring(two_hosts)
        with _oslo_privsep_keeping_files_open():
            daemon.context.stop()
        cfg.CONF.clear_override("helper_command", group=section)
        assert LIBC.setns(before.fileno(), CLONE_NEWNET) == 0


def _wiring(site: Site) -> Wiring:
    options = VRouterOptions(
        agent_url="http://127.0.0.1:9091",
        ports_directory=site.one.directory / "ports",
        patience=5,
        by_os_vif=False,
        synchronize=True,
    )
    return Wiring(backends.load(options))


@pytest.fixture
def server(wiring: Wiring, site: Site) -> Iterator[Callable[..., Server]]:
    """Maker of wired servers on a network."""
    with ExitStack() as undo:

        def make(network: VirtualNetwork, number: int) -> Server:
            vif = contrail_vif(number)
            vif["network"]["id"] = network.id
            instance = an_instance()
            made = Server(sleeping(), instance, [vif])
            undo.callback(made.unwire, wiring)
            undo.callback(made.end)
            made.wire(wiring)
            return made

        yield make


def pings(server: Server, address: str) -> bool:
    """Tell whether an address answers a server."""
    namespace = f"--net=/proc/{server.process.pid}/ns/net"
    words = ("nsenter", namespace, "ping", "-c", "1", "-W", "1", address)
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def reaches(server: Server, *addresses: str) -> None:
    """Wait until addresses answer a server."""
    for address in addresses:
        assert eventually(lambda address=address: pings(server, address), PATIENCE), address


def test_what_the_driver_plugs_is_in_its_network(site: Site, server: Callable[..., Server]) -> None:
    """A wired server and a machine on the other host reach each other, and the gateway."""
    red = site.network(1001, *SUBNETS)
    one = server(red, 5)
    far = site.machine(site.other, red, "10.0.0.6", "fd00::6")
    reaches(one, "10.0.0.1", "10.0.0.6", "fd00::6")
    reach(far, "10.0.0.5", "fd00::5")


def test_servers_with_one_address_in_two_networks_stay_apart(
    site: Site, server: Callable[..., Server]
) -> None:
    """Each server speaks with the own network's machine, though another has the same address."""
    red, blue = site.network(1001, *SUBNETS), site.network(1002, *SUBNETS)
    one, other = server(red, 5), server(blue, 5)
    machine = site.machine(site.one, red, "10.0.0.6", "fd00::6")
    reaches(one, "10.0.0.6")
    assert not pings(other, "10.0.0.6")
    site.machine(site.other, blue, "10.0.0.6", "fd00::6")
    machine.remove()
    site.machines.remove(machine)
    reaches(other, "10.0.0.6")
    assert not pings(one, "10.0.0.6")


def test_a_container_that_started_anew_is_back(
    site: Site, server: Callable[..., Server], wiring: Wiring
) -> None:
    """A restarted server has a new interface in the same place of the network."""
    red = site.network(1001, *SUBNETS)
    one, far = server(red, 5), site.machine(site.other, red, "10.0.0.6", "fd00::6")
    reaches(one, "10.0.0.6")
    one.restart()
    one.wire(wiring)
    reaches(one, "10.0.0.6")
    reach(far, "10.0.0.5")


def test_agent_and_driver_come_back(site: Site, server: Callable[..., Server]) -> None:
    """An agent that was killed has ports from their files; a new driver announces them again."""
    red = site.network(1001, *SUBNETS)
    one, far = server(red, 5), site.machine(site.other, red, "10.0.0.6", "fd00::6")
    reaches(one, "10.0.0.6")
    site.one.stop(signal.SIGKILL)
    site.one.start()
    reaches(one, "10.0.0.6")
    again = _wiring(site)
    again.resume()
    assert one.wire(again).changes == []
    reaches(one, "10.0.0.6")
    reach(far, "10.0.0.5")


def test_a_detached_port_is_gone(site: Site, server: Callable[..., Server], wiring: Wiring) -> None:
    """A detached port is gone from agent, VRF and host, until attached again."""
    red = site.network(1001, *SUBNETS)
    one, far = server(red, 5), site.machine(site.other, red, "10.0.0.6", "fd00::6")
    reaches(one, "10.0.0.6")
    one.unwire(wiring)
    assert one.network_info[0]["devname"] not in run("ip", "-br", "link")
    assert eventually(lambda: not far.reaches("10.0.0.5"), PATIENCE)
    one.wire(wiring)
    reach(far, "10.0.0.5")
