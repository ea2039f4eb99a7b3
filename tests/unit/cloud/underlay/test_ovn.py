# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine.command import Command
from novadocker.cloud.underlay import ovn, switch


def commands_of(layout: Layout) -> list[Command]:
    """Return the commands of OVN and of a host's switch."""
    host = layout.hosts[0]
    return [
        *ovn.central_commands(layout),
        ovn.controller_command(host),
        *switch.commands(host),
    ]


def test_no_database_or_socket_is_the_systems(layout: Layout) -> None:
    """Every path in commands and environment lies in our state directory."""
    commands = commands_of(layout)
    for command in commands:
        assert command.env
        assert all(value.startswith("/state/") for value in command.env.values())
        assert not any("/var/run/" in argument for argument in command.argv)


def test_daemons_stay_in_the_foreground(layout: Layout) -> None:
    """The supervisor can watch only what does not detach."""
    commands = commands_of(layout)
    assert not any("--detach" in command.argv for command in commands)


def test_a_device_that_nobody_holds_has_no_owner() -> None:
    """Only a switch that has a tap device open owns it."""
    assert switch.tap_owner("nd-none") is None


def test_bridges_are_not_named_like_a_systems(layout: Layout) -> None:
    """A system's Open vSwitch may have br-int and br-ex beside ours."""
    host = layout.hosts[0]
    assert not {host.integration_bridge, host.external_bridge} & {"br-int", "br-ex"}
    assert host.switch_socket == Path("/state/run/docker1/db.sock")
