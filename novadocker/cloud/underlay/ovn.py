# SPDX-License-Identifier: Apache-2.0
"""OVN of our own: its databases, the commands, a host's part in the overlay."""

from pathlib import Path

from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import PHYSICAL_NETWORK, Layout
from novadocker.cloud.machine.command import Command, run
from novadocker.cloud.underlay import switch

_SCHEMAS = Path("/usr/share/ovn")


def central_commands(layout: Layout) -> tuple[Command, Command, Command]:
    """Return the two databases and northd."""
    env = _environment(layout.run, layout.data / "ovn")
    northbound, southbound = (
        Command(
            f"ovn-{side}",
            (
                "ovsdb-server",
                str(_central_database(layout, side)),
                f"--remote=p{connection}",
                f"--unixctl={layout.run / f'ovn-{side}.ctl'}",
                *switch.QUIET,
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
            f"--unixctl={northd_control(layout)}",
            *switch.QUIET,
        ),
        env,
    )
    return northbound, southbound, northd


def northd_control(layout: Layout) -> Path:
    """Return where northd takes commands."""
    return layout.run / "ovn-northd.ctl"


def controller_command(host: ComputeHost) -> Command:
    """Return a host's OVN controller."""
    remote = f"unix:{host.switch_socket}"
    # It takes no --unixctl here; its control socket goes to OVN_RUNDIR.
    argv = ("ovn-controller", remote, *switch.QUIET)
    return Command(host.service("ovn-controller"), argv, _environment(host.run, host.data))


def create_central_databases(layout: Layout) -> None:
    """Make the missing database files."""
    for side in ("nb", "sb"):
        schema = _SCHEMAS / f"ovn-{side}.ovsschema"
        switch.create_database(_central_database(layout, side), schema)


def initialize_central(layout: Layout) -> None:
    """Make the first row of each database; may be repeated."""
    run("ovn-nbctl", f"--db={layout.northbound}", "init")
    run("ovn-sbctl", f"--db={layout.southbound}", "init")


def join(layout: Layout, host: ComputeHost, datapath: str) -> None:
    """Tell a host's switch the host's name, OVN's address, and the bridges.

    Args:
        layout: the cloud's places.
        host: the host.
        datapath: ``netdev`` in user space, ``system`` in the kernel.
    """
    # Routers have their gateway where the machine itself is on the public network.
    gateway = {} if host.namespace else {"ovn-cms-options": "enable-chassis-as-gw"}
    identity = {
        "system-id": host.name,
        "hostname": host.name,
        "ovn-remote": layout.southbound_of(host),
        "ovn-encap-type": "geneve",
        "ovn-encap-ip": host.tunnel_address,
        "ovn-bridge": host.integration_bridge,
        "ovn-bridge-datapath-type": datapath,
        "ovn-bridge-mappings": f"{PHYSICAL_NETWORK}:{host.external_bridge}",
        **gateway,
    }
    switch.configure(host, datapath, identity)


def _central_database(layout: Layout, side: str) -> Path:
    return layout.data / "ovn" / f"{side}.db"


def _environment(run_directory: Path, data: Path) -> dict[str, str]:
    # Every default is a path of the system's own.
    return {
        **switch.environment(run_directory, data),
        "OVN_RUNDIR": str(run_directory),
        "OVN_DBDIR": str(data),
    }
