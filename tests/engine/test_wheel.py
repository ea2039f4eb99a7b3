# SPDX-License-Identifier: Apache-2.0
"""The wheel as an operator installs it: beside Nova, and where Nova is on another path."""

import os
import re
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("novadocker", "nova", "etc", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
# What nova-compute does until it has its driver.
LOAD = """
from nova import monkey_patch
monkey_patch.patch(backend="threading")
import os_vif
os_vif.initialize()
import nova.virt.driver, nova.virt.fake, novadocker.virt.docker
name = "novadocker.virt.docker.DockerDriver"
driver = nova.virt.driver.load_compute_driver(nova.virt.fake.FakeVirtAPI(), name)
assert type(driver) is novadocker.virt.docker.DockerDriver, type(driver)
print(nova.__file__, novadocker.__file__, sep="\\n")
"""


# This process may see our sources by a path that a clean environment has not.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def run(*command: str | Path, status: int = 0) -> str:
    """Run a program and return what it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=ENVIRONMENT,
    )
    assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build one, from the sources alone."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    (source / "novadocker/gate/gate").unlink(missing_ok=True)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, source)
    (built,) = out.iterdir()
    return built


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel in it."""

    path: Path

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        (found,) = self.path.glob("lib/python*/site-packages")
        return found

    @property
    def beside_nova(self) -> bool:
        """Whether Nova is in the same directory."""
        return (self.packages / "nova" / "__init__.py").exists()

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python"

    def install(self, wheel: Path) -> None:
        """Install the wheel alone."""
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", self.python)
        run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)


def link_packages(target: Path) -> None:
    """Show in a directory what this environment has installed, but not us."""
    for package in Path(site.getsitepackages()[0]).iterdir():
        if not re.search("nova[_-]?docker", package.name.lower()):
            (target / package.name).symlink_to(package)


@pytest.fixture(scope="module", params=["beside Nova", "Nova on another path"])
def environment(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """Install the wheel in a clean environment that has Nova in one of two ways."""
    made = Environment(tmp_path_factory.mktemp("environment"))
    venv.create(made.path)
    others = made.packages
    if request.param != "beside Nova":
        others = tmp_path_factory.mktemp("others")
        (made.packages / "others.pth").write_text(f"{others}\n")
    link_packages(others)
    nova = others / "nova"
    behind = nova.resolve()
    nova.unlink()  # a directory of its own, since the wheel puts a file into it
    shutil.copytree(behind, nova, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    made.install(wheel)
    return made


def test_nova_compute_loads_the_driver(environment: Environment) -> None:
    """By the one name in nova.conf, and it is the class of the package."""
    nova, ours = run(environment.python, "-I", "-c", LOAD).splitlines()[-2:]
    assert ours.startswith(str(environment.packages))
    assert nova.startswith(str(environment.packages)) is environment.beside_nova


def test_the_check_says_how_nova_finds_it(environment: Environment) -> None:
    """The command is installed with it; what else is missing on this machine does not matter."""
    command = environment.path / "bin" / "novadocker-check"
    said = run(command, "--config-file", "/dev/null", status=1)
    (line,) = [each for each in said.splitlines() if " driver: " in each]
    assert line.startswith("ok")
    assert ("site-packages" if environment.beside_nova else "entry point") in line
    assert "ok       start gate: " in said


def test_the_gate_is_installed_to_be_run(environment: Environment) -> None:
    """Executable and static: it says itself how it is used."""
    gate = environment.packages / "novadocker" / "gate" / "gate"
    run(gate, status=125)


def test_the_wheel_holds_what_it_must_and_nothing_of_novas(wheel: Path) -> None:
    """License, gate and shim; no __init__ of Nova's own packages, which it would overwrite."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        gate = archive.getinfo("novadocker/gate/gate")
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    assert gate.external_attr >> 16 & 0o111 == 0o111
    assert "nova/virt/novadocker/virt/docker/__init__.py" in names
    assert not {"nova/__init__.py", "nova/virt/__init__.py"} & names
    data = {name.partition(".data/data/")[2] for name in names if ".data/" in name}
    assert data == {"etc/nova/nova.conf.docker", "etc/nova/rootwrap.d/docker.filters"}
    code = {name for name in names if ".dist-info/" not in name and ".data/" not in name}
    assert {name.partition("/")[0] for name in code} == {"nova", "novadocker"}


def test_the_wheel_is_one_for_this_kind_of_machine(wheel: Path) -> None:
    """It holds a program, so it must not be offered to another architecture."""
    assert wheel.name.startswith("nova_docker-")
    assert "-py3-none-linux_" in wheel.name


def test_the_wheel_names_its_ways_in(wheel: Path) -> None:
    """Two commands, and the os_vif plugin by which Nova finds the driver elsewhere."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith("entry_points.txt")]
        points = ConfigParser()
        points.read_string(archive.read(name).decode())
    assert {"novadocker-check", "novadocker-cloud"} <= set(points["console_scripts"])
    assert points["os_vif"]["novadocker"] == "novadocker.virt.docker.discovery:Plugin"
