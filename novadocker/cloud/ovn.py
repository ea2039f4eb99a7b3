# SPDX-License-Identifier: Apache-2.0
"""OVN and Open vSwitch of our own: databases, commands, a host's part in the overlay."""

import ipaddress
import socket
import subprocess
from pathlib import Path

import psutil
import tenacity
from pyroute2 import IPRoute

from novadocker.cloud import members
from novadocker.cloud.command import Command, run
from novadocker.cloud.errors import HostUnfit
from novadocker.cloud.host import ComputeHost
from novadocker.cloud.layout import LOOPBACK, PHYSICAL_NETWORK, Layout

# The tap device that every user-space datapath makes under this one name.
DATAPATH_TAP = "ovs-netdev"
_SCHEMAS = Path("/usr/share")
_QUIET = ("-vconsole:info", "-vsyslog:off", "-vfile:off")


def central_commands(layout: Layout) -> tuple[Command, Command, Command]:
    """Return the two databases and northd."""
    env = _environment(layout.run, layout.data / "ovn")
    servers = (
        Command(
            f"ovn-{side}",
            (
                "ovsdb-server",
                str(_central_database(layout, side)),
                f"--remote=p{connection}",
                f"--unixctl={layout.run / f'ovn-{side}.ctl'}",
                *_QUIET,
            ),
            env,
        )
        for side, connection in (("nb", layout.northbound), ("sb", layout.southbound))
    )
    northd = Command(
        "ovn-northd",
        (
            "ovn-northd",
            f"--ovnnb-db={layout.northbound}",
            f"--ovnsb-db={layout.southbound}",
            f"--unixctl={layout.run / 'ovn-northd.ctl'}",
            *_QUIET,
        ),
        env,
    )
    return (*servers, northd)  # type: ignore[return-value]


def host_commands(host: ComputeHost) -> tuple[Command, Command, Command]:
    """Return a host's switch database, switch, and OVN controller."""
    env = _environment(host.run, host.data)
    remote = f"unix:{host.switch_socket}"
    return (
        Command(
            host.service("ovsdb"),
            (
                "ovsdb-server",
                str(host.switch_database),
                f"--remote=p{remote}",
                f"--unixctl={host.run / 'ovsdb.ctl'}",
                *_QUIET,
            ),
            env,
        ),
        Command(
            host.service("vswitchd"),
            ("ovs-vswitchd", remote, f"--unixctl={host.vswitchd_control}", *_QUIET),
            env,
        ),
        # It takes no --unixctl here; its control socket goes to OVN_RUNDIR.
        Command(host.service("ovn-controller"), ("ovn-controller", remote, *_QUIET), env),
    )


def create_central_databases(layout: Layout) -> None:
    """Make the database files that do not exist yet."""
    for side in ("nb", "sb"):
        _create(_central_database(layout, side), _SCHEMAS / f"ovn/ovn-{side}.ovsschema")


def create_switch_database(host: ComputeHost) -> None:
    """Make a host's database file if it does not exist yet."""
    _create(host.switch_database, _SCHEMAS / "openvswitch/vswitch.ovsschema")


def initialize_central(layout: Layout) -> None:
    """Make the one row that each database starts with; may be repeated."""
    run("ovn-nbctl", f"--db={layout.northbound}", "init")
    run("ovn-sbctl", f"--db={layout.southbound}", "init")


def join(layout: Layout, host: ComputeHost, datapath: str) -> None:
    """Tell a host's switch its part: who it is, where OVN is, its bridges.

    Args:
        layout: the cloud's places.
        host: the host.
        datapath: ``netdev`` in user space, ``system`` in the kernel.
    """
    identity = {
        "system-id": host.name,
        "hostname": host.name,
        "ovn-remote": layout.southbound,
        "ovn-encap-type": "geneve",
        "ovn-encap-ip": LOOPBACK,
        "ovn-bridge": host.integration_bridge,
        "ovn-bridge-datapath-type": datapath,
        "ovn-bridge-mappings": f"{PHYSICAL_NETWORK}:{host.external_bridge}",
        "ovn-cms-options": "enable-chassis-as-gw",
    }
    external_ids = (f"external-ids:{key}={value}" for key, value in identity.items())
    run(
        *("ovs-vsctl", f"--db=unix:{host.switch_socket}", "--timeout=20"),
        *("set", "open", ".", *external_ids),
        *_bridge(host.integration_bridge, datapath, "secure"),
        *_bridge(host.external_bridge, datapath, "standalone"),
    )


def give_address(bridge: str, address: ipaddress.IPv4Interface, *, user_space: bool) -> None:
    """Make the machine itself a member of the public network; may be repeated."""
    with IPRoute() as route:
        (index,) = _wait_for_link(route, bridge)
        if user_space:
            # A user-space datapath hands on packets whose checksum nobody has computed.
            run("ethtool", "-K", bridge, "tx", "off")
        route.link("set", index=index, state="up")
        route.addr("replace", index=index, address=str(address.ip), mask=address.network.prefixlen)


def remove_datapath(host: ComputeHost) -> None:
    """End a host's switch together with its network devices, which a plain end would leave."""
    run("ovs-appctl", "-t", str(host.vswitchd_control), "--timeout=5", "exit", "--cleanup")


def remove_devices(layout: Layout, host: ComputeHost) -> None:
    """Remove the devices of a switch that had no time to do so itself."""
    names = [host.integration_bridge, host.external_bridge]
    if not other_switches(layout):
        names.append(DATAPATH_TAP)
    with IPRoute() as route:
        for name in names:
            for index in route.link_lookup(ifname=name):
                route.link("del", index=index)


def check_public_network(layout: Layout) -> None:
    """Refuse a machine that uses the public network's addresses for something else."""
    ours = {host.external_bridge for host in layout.hosts}
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if address.family == socket.AF_INET and name not in ours:
                _check_address(layout, name, address.address)


def _check_address(layout: Layout, device: str, address: str) -> None:
    network = layout.settings.public_network
    if ipaddress.IPv4Address(address) in network:
        raise HostUnfit(
            reason=f"{device} has {address}, which lies in the public network {network}; "
            "choose another with --public-network"
        )


def datapath(layout: Layout) -> str:
    """Return the datapath to use: the kernel's if it is there and nobody else uses it."""
    others = other_switches(layout)
    if not others and _kernel_has_datapath():
        return "system"
    return "netdev"


def check_datapath(layout: Layout) -> None:
    """Refuse a machine on which somebody else has the user-space datapath's device."""
    if DATAPATH_TAP not in psutil.net_if_addrs() or members.pids_named(layout, "ovs-vswitchd"):
        return
    owners = ", ".join(f"process {process.pid}" for process in other_switches(layout))
    raise HostUnfit(
        reason=f"another ovs-vswitchd ({owners or 'no longer running'}) has the user-space "
        f"datapath's device {DATAPATH_TAP}, of which a network namespace can have only one"
    )


def other_switches(layout: Layout) -> list[psutil.Process]:
    """Return the switch processes of this machine that are not ours."""
    ours = members.pids_named(layout, "ovs-vswitchd")
    return [
        process
        for process in psutil.process_iter(["name"])
        if process.info["name"] == "ovs-vswitchd" and process.pid not in ours
    ]


def _bridge(name: str, datapath: str, fail_mode: str) -> tuple[str, ...]:
    return (
        *("--", "--may-exist", "add-br", name),
        *("--", "set", "bridge", name, f"datapath_type={datapath}", f"fail-mode={fail_mode}"),
    )


def _create(database: Path, schema: Path) -> None:
    if database.exists():
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    run("ovsdb-tool", "create", str(database), str(schema))


def _central_database(layout: Layout, side: str) -> Path:
    return layout.data / "ovn" / f"{side}.db"


def _environment(run_directory: Path, data: Path) -> dict[str, str]:
    # Every default is a path of the system's own Open vSwitch.
    return {
        "OVS_RUNDIR": str(run_directory),
        "OVN_RUNDIR": str(run_directory),
        "OVS_DBDIR": str(data),
        "OVN_DBDIR": str(data),
        "OVS_SYSCONFDIR": str(data),
    }


@tenacity.retry(
    retry=tenacity.retry_if_result(lambda found: not found),
    stop=tenacity.stop_after_delay(10),
    wait=tenacity.wait_fixed(0.1),
)
def _wait_for_link(route: IPRoute, name: str) -> list[int]:
    return list(route.link_lookup(ifname=name))


def _kernel_has_datapath() -> bool:
    if Path("/sys/module/openvswitch").exists():
        return True
    done = subprocess.run(["modprobe", "--quiet", "openvswitch"], check=False)
    return done.returncode == 0
