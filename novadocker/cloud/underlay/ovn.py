# SPDX-License-Identifier: Apache-2.0
"""OVN of our own: its databases, the commands, a host's part in the overlay."""

from pathlib import Path

from novadocker.cloud.host import ComputeHost
from novadocker.cloud.layout import LOOPBACK, PHYSICAL_NETWORK, Layout
from novadocker.cloud.machine.command import Command, run

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
            f"--unixctl={northd_control(layout)}",
            *_QUIET,
        ),
        env,
    )
    return (*servers, northd)  # type: ignore[return-value]


def northd_control(layout: Layout) -> Path:
    """Return where northd takes commands."""
    return layout.run / "ovn-northd.ctl"


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
        *("ovs-vsctl", f"--db=unix:{host.switch_socket}", "--no-wait"),
        *("set", "open", ".", *external_ids),
        *_bridge(host.integration_bridge, datapath, "secure"),
        *_bridge(host.external_bridge, datapath, "standalone"),
    )


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
