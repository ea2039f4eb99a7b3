# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from glance.common.config import image_format_opts

from novadocker.cloud import up
from novadocker.cloud.config import glance, horizon
from novadocker.cloud.config.common import Common
from novadocker.cloud.dashboard import environment
from novadocker.cloud.dashboard.environment import Environment
from novadocker.cloud.layout.settings import Settings
from novadocker.cloud.seed import dashboard as definitions
from novadocker.cloud.supervision import dashboard
from novadocker.policy.extra_specs import EXTRA_SPECS

ROOT = Path(__file__).parents[3]


def _without(common: Common) -> Common:
    layout = dataclasses.replace(common.layout, settings=Settings())
    return dataclasses.replace(common, layout=layout)


def _settings(common: Common, directory: Path) -> dict[str, Any]:
    files = {path.name: text for path, text in horizon.files(common, Path("/assets")).items()}
    (directory / "local_settings.py").write_text(files["local_settings.py"])
    return runpy.run_path(str(directory / "local_settings.py"))


def test_without_it_there_is_nothing_of_it(common: Common) -> None:
    """No service, no environment is made, and Glance answers no page of another origin."""
    without = _without(common)
    assert not list(dashboard.services(without))
    assert "dashboard" not in {step.name for step in up._preparations(without)}
    conf, _ = glance.files(without).values()
    assert "allowed_origin" not in conf


def test_glance_takes_uploads_from_its_pages(common: Common) -> None:
    """The dashboard answers to each name for the machine in a browser."""
    conf, _ = glance.files(common).values()
    assert "allowed_origin = http://127.0.0.1:17714,http://localhost:17714\n" in conf


def test_glance_has_every_disk_format_and_docker(common: Common) -> None:
    """Horizon offers "Docker" among the formats, beside Glance's own."""
    conf, _ = glance.files(common).values()
    named = re.search("disk_formats = (.*)\n", conf)
    (option,) = (each for each in image_format_opts if each.name == "disk_formats")
    assert named
    assert named[1].split(",") == [*option.default, "docker"]


def test_its_settings_are_a_module(common: Common, tmp_path: Path) -> None:
    """The secret is the cloud's own, images are Docker's and consoles serial."""
    settings = _settings(common, tmp_path)
    assert settings["SECRET_KEY"] == common.credentials.dashboard
    assert settings["STATIC_ROOT"] == "/assets"
    assert settings["OPENSTACK_KEYSTONE_URL"] == "http://127.0.0.1:17700/v3"
    assert settings["OPENSTACK_IMAGE_BACKEND"]["image_formats"] == [("docker", "Docker")]
    assert settings["CONSOLE_TYPE"] == "SERIAL"


def test_it_does_not_offer_what_the_driver_refuses(common: Common, tmp_path: Path) -> None:
    """A policy of ours hides the buttons, beside Horizon's own rules."""
    _, policies = _settings(common, tmp_path)["POLICY_DIRS"]["compute"]
    rules = yaml.safe_load(
        horizon.files(common, Path("/assets"))[Path(policies, "containers.yaml")]
    )
    assert rules["os_compute_api:os-migrate-server:migrate"] == "!"
    assert set(rules.values()) == {"!"}


def test_it_runs_in_an_environment_of_its_own(common: Common) -> None:
    """Horizon runs with the cloud's settings, found by Python's path."""
    (service,) = dashboard.services(common)
    assert service.command.argv[0] == environment.current().python
    assert service.command.env["PYTHONPATH"] == "/state/conf/horizon"
    assert Path("/state/conf/horizon/local/local_settings.py") in service.files
    assert all(path.exists() for path in service.sources)


def test_every_kind_of_thing_with_metadata_has_definitions() -> None:
    """Horizon's form for a kind of which there are none fails."""
    found = {
        association["name"]: association.get("properties_target")
        for each in definitions.namespaces()
        for association in each["resource_type_associations"]
    }
    assert found == {
        "OS::Glance::Image": None,
        "OS::Nova::Flavor": None,
        "OS::Nova::Server": "metadata",
        "OS::Nova::Aggregate": None,
    }


def test_forms_offer_what_the_driver_reads() -> None:
    """A flavor is offered every word, an image only restricting words."""
    images, flavors, *_ = (each["properties"] for each in definitions.namespaces())
    assert flavors.keys() == {each.name for each in EXTRA_SPECS}
    assert {"os_command_line", "docker_user_data", "docker_profile"} <= images.keys()
    assert "docker_runtime" not in images


@pytest.fixture
def makings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Return the environments made, each as a bare directory."""
    made: list[Path] = []

    def make(new: Environment) -> None:
        new.path.mkdir(parents=True)
        made.append(new.path)

    monkeypatch.setattr(environment, "CACHE", tmp_path)
    monkeypatch.setattr(environment, "_make", make)
    return made


def test_an_environment_is_made_once(makings: list[Path]) -> None:
    """The second time there is nothing to do."""
    environment.ensure()
    environment.ensure()
    assert makings == [environment.current().path]


def test_what_is_half_made_is_made_again(makings: list[Path]) -> None:
    """An environment without the final mark is not used."""
    half = environment.current().path / "bin"
    half.mkdir(parents=True)
    environment.ensure()
    assert makings == [environment.current().path]
    assert not half.exists()


def test_another_lock_is_another_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An environment in use by another cloud stays."""
    before = environment.current()
    other = tmp_path / "constraints.txt"
    other.write_text("horizon==1\n")
    monkeypatch.setattr(environment, "LOCK", other)
    assert environment.current() != before


def test_its_lock_names_one_version_of_each() -> None:
    """As that of the cloud's own environment does, and the same where both have a package."""
    pins = [line for line in environment.LOCK.read_text().splitlines() if line[0] != "#"]
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.+!-]+", line)] == []
    ours = (ROOT / "constraints.txt").read_text().splitlines()
    versions = dict(line.lower().split("==") for line in ours if "==" in line)
    differing = {
        name: version
        for name, version in (line.lower().split("==") for line in pins)
        if versions.get(name, version) != version
    }
    assert differing == {}
    assert {"horizon", "heat-dashboard"} <= {line.partition("==")[0] for line in pins}
