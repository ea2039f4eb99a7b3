# SPDX-License-Identifier: Apache-2.0
"""Contrail (OpenSDN) in the launched cloud: a double of the agent, and a driver for Neutron.

Both are programs of ``novadocker.cloud.doubles.opensdn``.
"""

import json
from pathlib import Path

import novadocker
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import LOOPBACK, Layout
from novadocker.cloud.layout.settings import CONTRAIL
from novadocker.cloud.machine.command import Command

MECHANISM_DRIVER = "vrouter"
PROGRAMS = {"/usr/lib/frr/bgpd": "frr", "/usr/lib/frr/zebra": "frr"}
# The agent's own, which every caller assumes.
AGENT_PORT = 9091
_SOURCES = Path(novadocker.__file__).parent.parent
_ENTRY_POINTS = f"""\
[neutron.ml2.mechanism_drivers]
{MECHANISM_DRIVER} = novadocker.cloud.doubles.opensdn.neutron:VRouterMechanismDriver
"""
_METADATA = "Metadata-Version: 2.1\nName: novadocker-opensdn-double\nVersion: 0\n"


def networks_directory(layout: Layout) -> Path:
    """Return where the mechanism driver tells the agents of networks."""
    return layout.data / "opensdn/networks"


def ports_directory(host: ComputeHost) -> Path:
    """Return where announced ports are kept."""
    return host.data / "opensdn/ports"


def entry_points(layout: Layout) -> dict[Path, str]:
    """Return the files by which an unmodified Neutron finds the mechanism driver."""
    directory = _plugins(layout) / "novadocker_opensdn_double-0.dist-info"
    return {
        directory / "entry_points.txt": _ENTRY_POINTS,
        directory / "METADATA": _METADATA,
    }


def python_path(layout: Layout) -> str:
    """Return Neutron's PYTHONPATH with the mechanism driver."""
    return f"{_plugins(layout)}:{_SOURCES}"


def configuration(layout: Layout, host: ComputeHost) -> dict[Path, str]:
    """Return the files of a host's agent."""
    settings = {
        "host": host.engine.cgroup,
        "address": LOOPBACK,
        "peers": [],
        "networks": str(networks_directory(layout)),
        "run": str(host.run / "frr"),
    }
    return {_config(layout, host): json.dumps(settings, indent=2) + "\n"}


def agent_command(layout: Layout, host: ComputeHost) -> Command:
    """Return a host's agent."""
    return Command(
        host.service("vrouter-agent"),
        (
            layout.program("python"),
            "-m",
            "novadocker.cloud.doubles.opensdn",
            "--listen",
            f"{LOOPBACK}:{AGENT_PORT}",
            "--ports-directory",
            str(ports_directory(host)),
            "--data-plane",
            "novadocker.cloud.doubles.opensdn.packets:Packets",
            "--data-plane-config",
            str(_config(layout, host)),
        ),
        {"PYTHONPATH": str(_SOURCES)},
    )


def namespaces(layout: Layout, host: ComputeHost) -> set[str]:
    """Return the network namespaces possibly left by a killed agent."""
    return {f"vrf-{host.engine.cgroup}-{number}" for number in _numbers(layout)}


def devices(layout: Layout) -> list[str]:
    """Return the network devices possibly left by a killed agent."""
    return [f"{kind}{number}" for number in _numbers(layout) for kind in ("vx", "vn")]


def _numbers(layout: Layout) -> list[int]:
    if layout.settings.network != CONTRAIL:
        return []
    files = networks_directory(layout).glob("*.json")
    return [json.loads(path.read_text())["number"] for path in files]


def sources() -> tuple[Path, ...]:
    """Return the agent's sources."""
    return tuple(sorted((_SOURCES / "novadocker/cloud/doubles/opensdn").glob("*.py")))


def _plugins(layout: Layout) -> Path:
    return layout.conf("neutron") / "plugins"


def _config(layout: Layout, host: ComputeHost) -> Path:
    return layout.conf(host.service("vrouter-agent")) / "packets.json"
