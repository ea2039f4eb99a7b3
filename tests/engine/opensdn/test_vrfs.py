# SPDX-License-Identifier: Apache-2.0
"""Packets in the VRFs of virtual networks, on two hosts with BGP in between."""

import signal

from novadocker.cloud.doubles.opensdn.control import Subnet
from novadocker.cloud.doubles.opensdn.vrf import GATEWAY_MAC
from tests.engine.opensdn.host import PATIENCE, Machine, Site
from tests.engine.wiring.stand_in import run
from tests.support.eventually import eventually

RED = (Subnet("10.1.0.0/24", "10.1.0.1"), Subnet("fd01::/64", "fd01::1"))
BLUE = (Subnet("10.2.0.0/24", "10.2.0.1"), Subnet("fd02::/64", "fd02::1"))


def reach(machine: Machine, *addresses: str) -> None:
    """Wait until addresses answer a machine."""
    for address in addresses:
        assert eventually(lambda address=address: machine.reaches(address), PATIENCE), address


def silence(machine: Machine, address: str) -> None:
    """Wait until an address answers a machine no more."""
    assert eventually(lambda: not machine.reaches(address), PATIENCE), address


def neighbor(machine: Machine, address: str) -> str:
    """Return the MAC found by a machine for an address."""
    machine.reaches(address)
    return run("ip", "-n", machine.name, "neighbor", "show", address).split()[4]


def test_the_gateway_answers_with_the_mac_of_every_vrouter(site: Site) -> None:
    """The gateway answers by both families with the same MAC on both hosts."""
    red = site.network(1001, *RED)
    for host, number in ((site.one, 5), (site.other, 6)):
        machine = site.machine(host, red, f"10.1.0.{number}", f"fd01::{number}")
        reach(machine, "10.1.0.1", "fd01::1")
        assert neighbor(machine, "10.1.0.1") == GATEWAY_MAC
        assert neighbor(machine, "fd01::1") == GATEWAY_MAC


def test_one_network_is_one_on_two_hosts(site: Site) -> None:
    """Machines of a network reach each other across hosts, by both families."""
    red = site.network(1001, *RED)
    one = site.machine(site.one, red, "10.1.0.5", "fd01::5")
    other = site.machine(site.other, red, "10.1.0.6", "fd01::6")
    reach(one, "10.1.0.6", "fd01::6")
    reach(other, "10.1.0.5", "fd01::5")


def test_networks_with_the_same_addresses_stay_apart(site: Site) -> None:
    """On one host, two networks have the same subnet, addresses and MACs: each meets its own."""
    red, blue = site.network(1001, *RED), site.network(1002, *RED)
    pairs = []
    for network in (red, blue):
        one = site.machine(site.one, network, "10.1.0.5", "fd01::5")
        other = Machine(site.one, network, ("10.1.0.6", "fd01::6"), mac="fa:16:3e:00:01:06")
        site.machines.append(other)
        other.make()
        pairs.append((one, other))
    for one, other in pairs:
        reach(one, "10.1.0.6", "fd01::6")
        assert neighbor(one, "10.1.0.6") == other.mac
    red_pair, blue_pair = pairs
    red_pair[1].remove()
    site.machines.remove(red_pair[1])
    silence(red_pair[0], "10.1.0.6")
    reach(blue_pair[0], "10.1.0.6")


def test_two_networks_meet_when_a_policy_exchanges_their_targets(site: Site) -> None:
    """Not before, and not after; on the same host and across hosts, by both families."""
    red, blue = site.network(1001, *RED), site.network(1002, *BLUE)
    one = site.machine(site.one, red, "10.1.0.5", "fd01::5")
    near = site.machine(site.one, blue, "10.2.0.5", "fd02::5")
    far = site.machine(site.other, blue, "10.2.0.6", "fd02::6")
    reach(near, "10.2.0.6")
    assert not one.reaches("10.2.0.5")
    assert not one.reaches("10.2.0.6")
    site.control.join(red.id, blue.id)
    reach(one, "10.2.0.5", "fd02::5", "10.2.0.6", "fd02::6")
    reach(far, "10.1.0.5", "fd01::5")
    site.control.part(red.id, blue.id)
    silence(one, "10.2.0.5")
    silence(far, "10.1.0.5")
    reach(near, "10.2.0.6")


def test_a_target_that_one_side_only_takes_joins_nothing(site: Site) -> None:
    """Routes to a network without routes back carry no conversation."""
    red, blue = site.network(1001, *RED), site.network(1002, *BLUE)
    one = site.machine(site.one, red, "10.1.0.5", "fd01::5")
    other = site.machine(site.one, blue, "10.2.0.5", "fd02::5")
    site.control.join(red.id, blue.id)
    reach(one, "10.2.0.5")
    site.control.publish(blue)
    silence(one, "10.2.0.5")
    assert not other.reaches("10.1.0.5")


def test_a_machine_moves_to_another_host(site: Site) -> None:
    """A moved machine keeps address and MAC, and is found at the new host."""
    red = site.network(1001, *RED)
    still = site.machine(site.one, red, "10.1.0.5", "fd01::5")
    moving = site.machine(site.one, red, "10.1.0.6", "fd01::6")
    for host in (site.other, site.one):
        reach(still, "10.1.0.6", "fd01::6")
        moving.move(host)
        reach(still, "10.1.0.6", "fd01::6")
        reach(moving, "10.1.0.5")


def test_a_port_that_is_withdrawn_is_out_of_its_vrf(site: Site) -> None:
    """A deleted port is out of the network, interface or not, until announced again."""
    red = site.network(1001, *RED)
    one = site.machine(site.one, red, "10.1.0.5", "fd01::5")
    other = site.machine(site.other, red, "10.1.0.6", "fd01::6")
    reach(one, "10.1.0.6")
    other.withdraw()
    silence(one, "10.1.0.6")
    other.announce()
    reach(one, "10.1.0.6")


def test_an_interface_that_is_made_anew_is_back_by_itself(site: Site) -> None:
    """A new interface of an old name is taken without an announcement."""
    red = site.network(1001, *RED)
    one = site.machine(site.one, red, "10.1.0.5", "fd01::5")
    other = site.machine(site.one, red, "10.1.0.6", "fd01::6")
    reach(one, "10.1.0.6")
    run("ip", "-n", site.one.name, "link", "delete", other.device)
    other.connect()
    reach(one, "10.1.0.6")


def test_ports_are_back_after_their_agent_was_killed(site: Site) -> None:
    """A new agent has the ports of the files, except a port without an interface."""
    red = site.network(1001, *RED)
    one = site.machine(site.one, red, "10.1.0.5", "fd01::5")
    gone = site.machine(site.one, red, "10.1.0.7", "fd01::7")
    other = site.machine(site.other, red, "10.1.0.6", "fd01::6")
    reach(one, "10.1.0.6", "10.1.0.7")
    site.one.stop(signal.SIGKILL)
    run("ip", "-n", site.one.name, "link", "delete", gone.device)
    site.one.start()
    reach(one, "10.1.0.6")
    reach(other, "10.1.0.5")
    assert not other.reaches("10.1.0.7")


def test_nothing_is_left_of_networks_that_nobody_uses(site: Site) -> None:
    """Bridges, tunnels and namespaces go with the last port."""
    red, blue = site.network(1001, *RED), site.network(1002, *BLUE)
    site.control.join(red.id, blue.id)
    one = site.machine(site.one, red, "10.1.0.5", "fd01::5")
    reach(one, "10.1.0.1")
    one.remove()
    site.machines.remove(one)

    def clean() -> bool:
        names = set(run("ip", "-n", site.one.name, "-br", "link").split())
        left = {name for name in names if name.startswith(("vn", "vx"))}
        return not left and f"vrf-{site.one.name}" not in run("ip", "netns")

    assert eventually(clean, PATIENCE)
