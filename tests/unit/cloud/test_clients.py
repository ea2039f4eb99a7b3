# SPDX-License-Identifier: Apache-2.0
import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from novadocker.cloud.clients import environment, openstack, packages
from novadocker.cloud.layout.layout import Layout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Return a cloud on paper with the clients' environment in its state."""
    from novadocker.cloud.layout.settings import Settings  # noqa: PLC0415

    state = tmp_path_factory.mktemp("state with a blank")
    layout = Layout(state, Settings(), venv=Path(sys.prefix))
    environment.ensure(layout)
    return layout


def test_clients_bring_no_plug_ins_of_services() -> None:
    """Nova and the plug-in that cannot be loaded are left out, Heat's client is in."""
    names = set(packages.links(packages.closure()))
    assert {"openstackclient", "heatclient", "novadocker"} <= names
    assert not {"nova", "heat", "blazarclient", "neutron"} & names


def test_the_command_works_and_is_quiet(made: Layout) -> None:
    """Commands of the client, of Heat and of ours are known, and standard error stays empty."""
    for words in (("--version",), ("help", "stack", "list"), ("docker", "image", "check", "-h")):
        done = subprocess.run(
            [environment.command(made), *words], check=False, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


def test_a_shell_takes_the_variables(made: Layout) -> None:
    """After ``eval`` the command is found first and the cloud is chosen; Bash completes words."""
    text = environment.variables(made, "admin")
    script = f'{text}\ncommand -v openstack; echo "$OS_CLOUD"; type -t _openstack'
    done = subprocess.run(["bash", "-euc", script], check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[:3] == [str(environment.command(made)), "admin", "function"]


def test_an_environment_is_made_once(made: Layout) -> None:
    """The second time nothing is written, until a distribution is another."""
    command = environment.command(made)
    before = command.stat().st_ino
    environment.ensure(made)
    assert command.stat().st_ino == before


def test_the_line_to_type_names_the_state(layout: Layout) -> None:
    """A shell gets the variables of the chosen cloud, wherever the state is."""
    elsewhere = dataclasses.replace(layout, state=Path("/some where"))
    assert "--state '/some where' env" in environment.evaluation(elsewhere)


def test_a_command_does_not_import_the_commands_of_others(made: Layout) -> None:
    """A command of images imports no module of servers, networks or the interactive client."""
    folder = environment.command(made).parents[1] / "packages"
    argv = [openstack.__file__, str(folder), "help", "image", "list"]
    script = (
        f"import atexit, runpy, sys\nsys.argv = {argv!r}\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "ignore", "-c", script],
        check=True,
        capture_output=True,
        text=True,
    )
    imported = set(done.stderr.split())
    assert "openstackclient.image.v2.image" in imported
    assert not {"openstackclient.compute.v2.server", "cmd2", "prompt_toolkit"} & imported


def test_every_command_is_known(made: Layout) -> None:
    """The words for completion name commands of each service, and of ours."""
    text = (environment.command(made).parents[1] / "openstack.bash").read_text()
    for word in ("server", "image", "network", "stack", "docker", "help"):
        assert word in text.split("cmds='", 1)[1].split("'", 1)[0].split()


def test_metadata_stay_short(made: Layout) -> None:
    """Metadata of a distribution keep name, version and entry points, without the description."""
    (folder,) = environment.command(made).parents[1].glob("packages/python_openstackclient-*")
    assert len((folder / "METADATA").read_text().splitlines()) == 3
    assert "openstackclient" in (folder / "top_level.txt").read_text().split()
    assert "[openstack.compute.v2]" in (folder / "entry_points.txt").read_text()
