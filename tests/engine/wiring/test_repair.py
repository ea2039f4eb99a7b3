# SPDX-License-Identifier: Apache-2.0
"""Broken parts of a container's network, brought back by one call."""

from collections.abc import Callable

import pytest

from novadocker.virt.docker.wiring import Wiring
from novadocker.virt.docker.wiring.routes import OURS
from tests.engine.wiring.stand_in import DATAPATH, Server, Switch, a_vif, run, talk


def _outside(*words: str) -> Callable[[Server, Switch], object]:
    return lambda server, _: run(
        *(word.format(server.network_info[0]["devname"]) for word in words)
    )


def _within(*words: str) -> Callable[[Server, Switch], object]:
    return lambda server, _: server.ip(*words)


def _to_other_bridge(server: Server, switch: Switch) -> None:
    port = server.network_info[0]["devname"]
    datapath = f"datapath_type={DATAPATH}"
    switch.ask("--may-exist", "add-br", "br-ex", "--", "set", "bridge", "br-ex", datapath)
    switch.ask("del-port", port, "--", "add-port", "br-ex", port)


BREAKAGES: dict[str, Callable[[Server, Switch], object]] = {
    "the veth pair is deleted": _outside("ip", "link", "delete", "{}"),
    "the host end is down": _outside("ip", "link", "set", "{}", "down"),
    "the host end has another MTU": _outside("ip", "link", "set", "{}", "mtu", "1300"),
    "the port is out of the switch": lambda server, switch: switch.ask(
        "del-port", server.network_info[0]["devname"]
    ),
    "the port is on another bridge": _to_other_bridge,
    "the port is another's": lambda server, switch: switch.ask(
        "set",
        "interface",
        server.network_info[0]["devname"],
        "external_ids:iface-id=somebody",
    ),
    "the inner end is down": _within("link", "set", "eth0", "down"),
    "the inner end has another MAC": _within("link", "set", "eth0", "address", "fa:16:3e:99:99:99"),
    "the inner end has another MTU": _within("link", "set", "eth0", "mtu", "1300"),
    "an IPv4 address is gone": _within("address", "delete", "10.0.0.5/24", "dev", "eth0"),
    "an IPv6 address is gone": _within("address", "delete", "fd00::5/64", "dev", "eth0"),
    "the link-local address is gone": _within(
        "address", "delete", "fe80::f816:3eff:fe00:5/64", "dev", "eth0"
    ),
    "all addresses are gone": _within("address", "flush", "dev", "eth0"),
    "the default route is gone": _within("route", "delete", "default"),
    "the default route of IPv6 is gone": _within("-6", "route", "delete", "default"),
    "our default route leads astray": _within(
        "route", "replace", "default", "via", "10.0.0.77", "dev", "eth0", "proto", str(OURS)
    ),
    "the metadata route is gone": _within("route", "delete", "169.254.169.254"),
    "a route of ours is too much": _within(
        "route", "add", "10.77.0.0/16", "via", "10.0.0.1", "proto", str(OURS)
    ),
    "the container is another": lambda server, _: server.restart(),
}


@pytest.mark.parametrize("breakage", list(BREAKAGES))
def test_what_broke_is_repaired(
    wiring: Wiring, server: Callable[..., Server], switch: Switch, breakage: str
) -> None:
    """One call brings back any broken part, traffic included, and leaves nothing to do."""
    one, other = server(a_vif(5)), server(a_vif(6))
    one.wire(wiring)
    other.wire(wiring)
    before = one.state()
    BREAKAGES[breakage](one, switch)
    one.wire(wiring)
    assert one.state() == before
    talk(one, other, "10.0.0.5")
    assert one.wire(wiring).changes == []


def test_a_port_that_the_switch_kept_is_taken_out_before_it_is_made_anew(
    wiring: Wiring, server: Callable[..., Server], switch: Switch
) -> None:
    """The user-space datapath keeps a dead port, and is deaf to a new device of the name."""
    one, other = server(a_vif(5)), server(a_vif(6))
    other.wire(wiring)
    one.wire(wiring)
    one.restart()
    assert one.network_info[0]["devname"] in switch.ports()
    wired = wiring.ensure_wired(
        one.instance, one.network_info, one.plan, one.process.pid, fresh=True
    )
    assert f"{one.network_info[0]['devname']} announced" in wired.changes
    talk(one, other, "10.0.0.5")
