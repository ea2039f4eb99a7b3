# SPDX-License-Identifier: Apache-2.0
"""DevStack's plug-in, sourced phase by phase as DevStack does, with its functions noted down."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from novadocker.virt.docker.conf.options import OPTIONS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "devstack"
# DevStack's own functions, and programs, each of which says what it was called with.
NOTED = (
    "iniset",
    "install_package",
    "pip_install",
    "restart_service",
    "add_user_to_group",
    "docker",
    "openstack",
)
PRELUDE = """
set -euo pipefail
export DEST=/opt/stack STACK_USER=stack
is_service_enabled() { [ "$1" = n-cpu ]; }
is_package_installed() { false; }
sudo() { "$@"; }
"""


def phase(folder: Path, *words: str, services: str = "n-cpu", **settings: str) -> list[str]:
    """Source the plug-in in one phase, and return the calls that it makes.

    Args:
        folder: directory for nova.conf and the engine's settings.
        words: arguments of the phase.
        services: service that DevStack runs here.
        settings: values of local.conf.
    """
    noted = "".join(f'{name}() {{ echo "{name} $*" >&2; }}\n' for name in NOTED)
    given = {
        "NOVA_CONF": str(folder / "nova.conf"),
        "NOVA_CPU_CONF": str(folder / "nova-cpu.conf"),
        "NOVADOCKER_ENGINE_CONF": str(folder / "docker/daemon.json"),
        **settings,
    }
    exports = "".join(f"export {name}='{value}'\n" for name, value in given.items())
    prelude = PRELUDE.replace("= n-cpu", f"= {services}")
    script = f"{prelude}{noted}{exports}. {FOLDER}/settings\n. {FOLDER}/plugin.sh {' '.join(words)}"
    done = subprocess.run(["bash", "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def test_the_engine_is_set_up_and_the_driver_installed(tmp_path: Path) -> None:
    """The installation writes the engine's settings before it starts the engine again."""
    calls = phase(tmp_path, "stack", "install")
    assert calls == [
        "install_package docker.io",
        "install_package gcc libc6-dev",
        "restart_service docker",
        "add_user_to_group stack docker",
        "pip_install /opt/stack/nova-docker",
    ]
    written = json.loads((tmp_path / "docker/daemon.json").read_text())
    page = (ROOT / "docs/operator.md").read_text()
    assert written == json.loads(re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0])


def test_nova_is_told_the_driver(tmp_path: Path) -> None:
    """Every option in [docker] that the plug-in sets is one of the driver's."""
    (tmp_path / "nova-cpu.conf").touch()
    calls = phase(tmp_path, "stack", "post-config", NOVADOCKER_METRICS_PORT="9155")
    conf = tmp_path / "nova-cpu.conf"
    assert f"iniset {conf} docker metrics_port 9155" in calls
    driver = "novadocker.virt.docker.DockerDriver"
    assert f"iniset {conf} DEFAULT compute_driver {driver}" in calls
    options = {call.split()[3] for call in calls if call.split()[2] == "docker"}
    assert options <= {option.name for option in OPTIONS}
    assert {call.split()[1] for call in calls} == {str(conf)}


def test_a_sample_is_uploaded_from_the_engine(tmp_path: Path) -> None:
    """The image is named as in the engine, without the tag; an empty setting uploads none."""
    # Two programs of one pipe, noted in whatever order they begin.
    calls = phase(tmp_path, "stack", "test-config")
    (upload,) = (call for call in calls if call.startswith("openstack "))
    assert upload.startswith("openstack --os-cloud devstack-admin image create --public")
    assert upload.endswith(" busybox")
    assert phase(tmp_path, "stack", "test-config", NOVADOCKER_SAMPLE="") == []


@pytest.mark.parametrize("words", [("unstack",), ("clean",)])
def test_containers_of_servers_go_with_the_cloud(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Only the driver's own containers are looked for."""
    assert phase(tmp_path, *words) == ["docker ps --all --quiet --filter label=novadocker.instance"]


@pytest.mark.parametrize(
    ("words", "services"),
    [(("stack", "pre-install"), "n-cpu"), (("stack", "extra"), "n-cpu"), (("clean",), "n-api")],
)
def test_other_phases_and_other_hosts_do_nothing(
    tmp_path: Path, words: tuple[str, ...], services: str
) -> None:
    """A controller without nova-compute has no use for an engine."""
    assert phase(tmp_path, *words, services=services) == []
