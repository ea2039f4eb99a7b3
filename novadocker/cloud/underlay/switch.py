# SPDX-License-Identifier: Apache-2.0
"""Switch of a host: commands, database, datapath, and devices on the machine."""

import ipaddress
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import tenacity
from pyroute2 import IPRoute

from novadocker.cloud.errors import HostUnfit
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine import processes
from novadocker.cloud.machine.command import Command, entering, run

PROGRAM = "ovs-vswitchd"
# The tap device that every user-space datapath makes under this one name.
DATAPATH_TAP = "ovs-netdev"
QUIET = ("-vconsole:info", "-vsyslog:off", "-vfile:off")
_SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")


def commands(host: ComputeHost) -> tuple[Command, Command]:
    """Return a host's switch database and switch."""
    env = environment(host.run, host.data)
    remote = f"unix:{host.switch_socket}"
    return (
        Command(
            host.service("ovsdb"),
            (
                "ovsdb-server",
                str(host.switch_database),
                f"--remote=p{remote}",
                f"--unixctl={host.run / 'ovsdb.ctl'}",
                *QUIET,
            ),
            env,
        ),
        Command(
            host.service("vswitchd"),
            (PROGRAM, remote, f"--unixctl={host.vswitchd_control}", *QUIET),
            env,
        ),
    )


def environment(run_directory: Path, data: Path) -> dict[str, str]:
    """Return where a switch's programs look for each other."""
    # Every default is a path of the system's own Open vSwitch.
    return {
        "OVS_RUNDIR": str(run_directory),
        "OVS_DBDIR": str(data),
        "OVS_SYSCONFDIR": str(data),
    }


def create_switch_database(host: ComputeHost) -> None:
    """Make a host's database file, if missing."""
    create_database(host.switch_database, _SCHEMA)


def create_database(database: Path, schema: Path) -> None:
    """Make a database file, if missing."""
    if database.exists():
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    run("ovsdb-tool", "create", str(database), str(schema))


def configure(host: ComputeHost, datapath: str, identity: Mapping[str, object]) -> None:
    """Tell a host's switch the host's name and the bridges; may be repeated.

    Args:
        host: the host.
        datapath: ``netdev`` in user space, ``system`` in the kernel.
        identity: external ids for the database, by name.
    """
    external_ids = (f"external-ids:{key}={value}" for key, value in identity.items())
    run(
        "ovs-vsctl",
        f"--db=unix:{host.switch_socket}",
        "--no-wait",
        "set",
        "open",
        ".",
        *external_ids,
        *_offload(host, datapath),
        *_bridge(host.integration_bridge, datapath, "secure"),
        *_bridge(host.external_bridge, datapath, "standalone"),
        *_underlay(host, datapath),
    )


def _offload(host: ComputeHost, datapath: str) -> tuple[str, ...]:
    # A virtual machine leaves checksums to its host; in user space the switch completes them
    # with this setting alone, and without it no TCP connection from or to a machine is made.
    tso = host.has_machines and datapath == "netdev"
    return ("other_config:userspace-tso-enable=true",) if tso else ()


def _underlay(host: ComputeHost, datapath: str) -> tuple[str, ...]:
    if host.cabling is None:
        return ()
    # In user space tunnels leave only by a bridge of the same switch.
    words = _bridge(host.underlay_bridge, datapath, "standalone")
    words += _port(host.underlay_bridge, host.cabling.tunnel(host.number).end)
    if host.cabling.floating:
        words += _port(host.external_bridge, host.cabling.external(host.number).end)
    return words


def _port(bridge: str, name: str) -> tuple[str, ...]:
    return ("--", "--may-exist", "add-port", bridge, name)


def _bridge(name: str, datapath: str, fail_mode: str) -> tuple[str, ...]:
    return (
        "--",
        "--may-exist",
        "add-br",
        name,
        "--",
        "set",
        "bridge",
        name,
        f"datapath_type={datapath}",
        f"fail-mode={fail_mode}",
    )


def give_addresses(layout: Layout, host: ComputeHost, datapath: str) -> None:
    """Give a host's bridges their addresses; may be repeated.

    By the first host's external bridge the machine itself is a member of the public network.
    """
    user_space = datapath == "netdev"
    if host.namespace is None:
        _give(host.external_bridge, layout.public_gateway, None, user_space=user_space)
    if host.cabling is not None:
        address = host.cabling.tunnel(host.number).address
        _give(host.underlay_bridge, address, host.namespace, user_space=user_space)


def _give(
    bridge: str,
    address: ipaddress.IPv4Interface | None,
    namespace: str | None,
    *,
    user_space: bool,
) -> None:
    with IPRoute(netns=namespace) if namespace else IPRoute() as route:
        (index,) = _wait_for_link(route, bridge)
        if user_space:
            # A user-space datapath hands on packets whose checksum nobody has computed.
            run(*entering(namespace), "ethtool", "-K", bridge, "tx", "off")
        route.link("set", index=index, state="up")
        if address is not None:
            length = address.network.prefixlen
            route.addr("replace", index=index, address=str(address.ip), prefixlen=length)


def remove_datapath(host: ComputeHost) -> None:
    """End a host's switch and remove the network devices, left behind by a plain end."""
    run("ovs-appctl", "-t", str(host.vswitchd_control), "--timeout=5", "exit", "--cleanup")


def remove_devices(host: ComputeHost) -> None:
    """Remove the devices of a switch that ended without clean-up."""
    with IPRoute() as route:
        for name in _devices(host):
            if tap_owner(name) is None:
                for index in route.link_lookup(ifname=name):
                    route.link("del", index=index)


def tap_owner(name: str) -> int | None:
    """Return the id of the switch process with a tap device open, if any."""
    wanted = ["iff:", name]
    return next((pid for pid in _switches() if wanted in _open_taps(pid)), None)


def check_datapath(layout: Layout) -> None:
    """Refuse a machine on which another switch has devices of the same names."""
    ours = processes.pids_named(layout, PROGRAM)
    for host in layout.hosts:
        for name in _devices(host):
            owner = tap_owner(name)
            if owner is not None and owner not in ours:
                raise HostUnfit(
                    reason=f"the ovs-vswitchd of process {owner} has the device {name}; "
                    "a network namespace can have only one of that name, so only one "
                    "user-space datapath"
                )


def _devices(host: ComputeHost) -> tuple[str, ...]:
    # A namespace takes its devices along.
    if not host.real or host.namespace:
        return ()
    return (
        host.underlay_bridge,
        host.integration_bridge,
        host.external_bridge,
        host.tunnel_bridge,
        DATAPATH_TAP,
    )


def _open_taps(pid: int) -> list[list[str]]:
    lines: list[list[str]] = []
    for entry in Path(f"/proc/{pid}/fdinfo").glob("*"):
        # A descriptor may have been closed since it was listed.
        with suppress(OSError):
            lines += [line.split() for line in entry.read_text().splitlines()]
    return lines


def check_public_network(layout: Layout) -> None:
    """Refuse a machine with other uses of the public network's addresses."""
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
    """Return the datapath to use: the kernel's, if present and used by nobody else."""
    if not other_switches(layout) and _kernel_has_datapath():
        return "system"
    return "netdev"


def other_switches(layout: Layout) -> set[int]:
    """Return the ids of other owners' switch processes in our network namespace."""
    return _switches() - processes.pids_named(layout, PROGRAM)


def _switches() -> set[int]:
    # Those in other network namespaces have devices of their own, whatever their names.
    here = Path("/proc/self/ns/net").stat().st_ino
    return {
        process.pid
        for process in psutil.process_iter(["name"])
        if process.info["name"] == PROGRAM and _network_namespace(process.pid) == here
    }


def _network_namespace(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except FileNotFoundError:
        return None


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
