# SPDX-License-Identifier: Apache-2.0
"""How the commands come into ``openstack``, and what they cost there."""

import argparse
import importlib.metadata
import subprocess
import sys

import pytest

from novadocker.client import plugin

COMMANDS = importlib.metadata.entry_points(group="openstack.docker.v1")

# What a laptop need not have. Not all that the wheel asks for is wanted there.
FOR_HOSTS = {"nova", "os_vif", "oslo_privsep", "pyroute2", "passlib"}


def modules(statement: str) -> set[str]:
    """Return what an interpreter has after a statement."""
    program = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_all_four_commands_are_there() -> None:
    """Under the names that are documented."""
    assert sorted(command.name for command in COMMANDS) == [
        "docker_image_check",
        "docker_image_import",
        "docker_image_inspect",
        "docker_image_save",
    ]
    (way_in,) = (
        each
        for each in importlib.metadata.entry_points(group="openstack.cli.extension")
        if each.name == "docker"
    )
    assert way_in.load() is plugin


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_explains_itself(command: importlib.metadata.EntryPoint) -> None:
    """Its help has a description, and says something of each option."""
    parser = command.load()(None, argparse.Namespace()).get_parser("openstack")
    assert parser.description
    ours = [action for action in parser._actions if action.container is not None]
    assert all(action.help for action in ours)


def test_other_commands_pay_next_to_nothing() -> None:
    """What openstack imports at every start, all commands of all plugins, is words only."""
    openstack = "import openstackclient.shell, osc_lib.cli.parseractions"
    ours = {name for name in modules(openstack) if name.startswith("novadocker")}
    assert ours == {"novadocker", "novadocker.client", "novadocker.client.plugin"}
    commands = modules(f"{openstack}, {', '.join(command.module for command in COMMANDS)}")
    assert {name.removeprefix("novadocker.client.") for name in commands - modules(openstack)} == {
        "commands",
        "commands.options",
        *(f"commands.{name}_image" for name in ("check", "import", "inspect", "save")),
    }


def test_the_commands_want_nothing_of_a_compute_host() -> None:
    """Neither Nova nor what only the driver stands on."""
    actions = ("actions.bring", "actions.check", "actions.inspect", "actions.save", "engine")
    imports = (f"novadocker.client.{name}" for name in actions)
    names = {name.partition(".")[0] for name in modules(f"import {', '.join(imports)}")}
    assert names & FOR_HOSTS == set()


def test_the_version_of_the_commands_can_be_told() -> None:
    """As every plugin's."""
    parser = plugin.build_option_parser(argparse.ArgumentParser())
    assert parser.parse_args([]).os_docker_api_version == "1"
    assert plugin.check_api_version("1")
    assert not plugin.check_api_version("2")
