# SPDX-License-Identifier: Apache-2.0
"""Network services: of OVN, of Open vSwitch with Neutron's agents, of Contrail."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import novadocker
from novadocker.cloud.config import neutron, neutron_agents
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.layout.settings import CONTRAIL, OVN, OVS
from novadocker.cloud.machine.command import Command
from novadocker.cloud.programs.neutron_agent import NAMESPACE_PREFIX
from novadocker.cloud.supervision import readiness
from novadocker.cloud.supervision.service import Service, program_words
from novadocker.cloud.underlay import opensdn, ovn, switch

_CONFIG_FILES = "neutron.conf;ml2_conf.ini"
_PROGRAMS = Path(novadocker.__file__).parent / "cloud/programs"


def central(common: Common) -> Iterable[Service]:
    """Return the network services of the control plane."""
    if common.layout.settings.network == OVN:
        yield from _ovn_databases(common.layout)
    if common.layout.settings.network == OVS:
        yield _rpc(common)


def on_host(common: Common, host: ComputeHost) -> Iterable[Service]:
    """Return the network services of a compute host."""
    network = common.layout.settings.network
    if network == CONTRAIL:
        yield _vrouter_agent(common, host)
        return
    yield from _switch(host)
    if network == OVN:
        yield _ovn_controller(common.layout, host)
        yield _ovn_metadata(common, host)
    if network == OVS:
        yield from _agents(common, host)


def before_neutron(layout: Layout) -> tuple[str, ...]:
    """Return the steps before Neutron's API."""
    return ("ovn-rows",) if layout.settings.network == OVN else ()


def before_compute(layout: Layout, host: ComputeHost) -> tuple[str, ...]:
    """Return the steps before nova-compute."""
    if layout.settings.network == CONTRAIL:
        return (host.service("vrouter-agent"),)
    return (host.service("vswitchd"),)


def neutron_environment(layout: Layout) -> dict[str, str]:
    """Return the environment of Neutron's server."""
    environment = {"OS_NEUTRON_CONFIG_FILES": _CONFIG_FILES}
    if layout.settings.network == CONTRAIL:
        environment["PYTHONPATH"] = opensdn.python_path(layout)
    return environment


def _ovn_databases(layout: Layout) -> Iterable[Service]:
    northbound, southbound, northd = ovn.central_commands(layout)
    for command, connection in (
        (northbound, layout.northbound),
        (southbound, layout.southbound),
    ):
        yield Service(
            command,
            after=("ovn-databases",),
            ready=partial(readiness.unix_socket, connection),
            wave=4,
        )
    yield Service(
        northd,
        after=("ovn-rows",),
        ready=partial(readiness.unix_socket, f"unix:{ovn.northd_control(layout)}"),
        wave=3,
    )


def _rpc(common: Common) -> Service:
    layout = common.layout
    environment = {
        **neutron_environment(layout),
        "OS_NEUTRON_CONFIG_DIR": str(layout.conf("neutron")),
    }
    return Service(
        Command("neutron-rpc", program_words(layout, "neutron_rpc"), environment),
        after=("neutron-schema", "rabbitmq", "identity"),
        ready=partial(readiness.consumer, common, "q-plugin"),
        files=neutron.files(common),
        sources=(_PROGRAMS / "neutron_rpc.py",),
    )


def _switch(host: ComputeHost) -> Iterable[Service]:
    ovsdb, vswitchd = switch.commands(host)
    yield Service(
        ovsdb,
        after=(host.service("switch-database"),),
        ready=partial(readiness.unix_socket, f"unix:{host.switch_socket}"),
        wave=4,
    )
    yield Service(
        vswitchd,
        after=(host.service("join"),),
        ready=partial(readiness.unix_socket, f"unix:{host.vswitchd_control}"),
        wave=3,
        farewell=partial(switch.remove_datapath, host),
    )


def _ovn_controller(layout: Layout, host: ComputeHost) -> Service:
    return Service(
        ovn.controller_command(host),
        after=(host.service("address"), "ovn-rows"),
        ready=partial(readiness.chassis, layout, host),
        wave=2,
    )


def _ovn_metadata(common: Common, host: ComputeHost) -> Service:
    return _agent(
        common,
        host,
        neutron_agents.OVN_METADATA,
        "ovn_metadata",
        neutron_agents.ovn_metadata(common, host),
        after=host.service("ovn-controller"),
        ready=partial(readiness.metadata_agent, common.layout, host),
    )


def _agents(common: Common, host: ComputeHost) -> Iterable[Service]:
    datapath = switch.datapath(common.layout)
    of_every_host = (
        neutron_agents.OPENVSWITCH,
        "ovs_neutron_agent",
        "Open vSwitch agent",
        neutron_agents.openvswitch(common, host, datapath),
    )
    # Routers, DHCP servers and their metadata are on the first host, for servers of all.
    of_the_first = (
        (neutron_agents.L3, "l3", "L3 agent", neutron_agents.l3(common, host)),
        (neutron_agents.DHCP, "dhcp", "DHCP agent", neutron_agents.dhcp(common, host)),
        (
            neutron_agents.METADATA,
            "metadata",
            "Metadata agent",
            neutron_agents.metadata(common, host),
        ),
    )
    agents = (of_every_host, *(of_the_first if host.number == 1 else ()))
    for name, program, kind, files in agents:
        yield _agent(
            common,
            host,
            name,
            program,
            files,
            after=host.service("address"),
            ready=partial(readiness.neutron_agent, common, host, kind),
        )


def _agent(
    common: Common,
    host: ComputeHost,
    name: str,
    program: str,
    files: Mapping[Path, str],
    *,
    after: str,
    ready: readiness.Probe,
) -> Service:
    (conf,) = files
    remote = () if name == neutron_agents.OVN_METADATA else ("neutron", "neutron-rpc")
    words = (*program_words(common.layout, "neutron_agent"), program, "--config-file", str(conf))
    environment = switch.environment(host.run, host.data)
    if host.namespace_prefix:
        environment[NAMESPACE_PREFIX] = host.namespace_prefix
    return Service(
        Command(host.service(name), words, environment),
        after=(after, *remote),
        ready=ready,
        files=files,
        directories=(host.metadata_state,),
        sources=(_PROGRAMS / "neutron_agent.py",),
    )


def _vrouter_agent(common: Common, host: ComputeHost) -> Service:
    layout = common.layout
    return Service(
        opensdn.agent_command(layout, host),
        after=(),
        ready=partial(readiness.listening, opensdn.AGENT_PORT),
        files=opensdn.configuration(layout, host),
        directories=(opensdn.ports_directory(host), opensdn.networks_directory(layout)),
        sources=opensdn.sources(),
        wave=3,
    )
