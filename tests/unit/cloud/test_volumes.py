# SPDX-License-Identifier: Apache-2.0
import configparser
import dataclasses
import subprocess
from pathlib import Path

import pytest

from novadocker.cloud import up
from novadocker.cloud.config import cinder
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.settings import Settings
from novadocker.cloud.seed import schema
from novadocker.cloud.seed import volumes as seed
from novadocker.cloud.storage import environment, loops
from novadocker.cloud.supervision import volumes


def _with(common: Common, *, cinder: bool) -> Common:
    layout = dataclasses.replace(common.layout, settings=Settings(cinder=cinder))
    return dataclasses.replace(common, layout=layout)


def _conf(common: Common) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(default_section="none")
    text = next(text for path, text in cinder.files(common).items() if path.name == "cinder.conf")
    parser.read_string(text)
    return parser


def test_a_cloud_without_volumes_has_nothing_of_them(common: Common) -> None:
    """Neither services nor tables; what is in the catalog from before is taken out."""
    without = _with(common, cinder=False)
    assert not list(volumes.services(without))
    assert "cinder" not in {each.name for each in schema.others(without.layout)}
    names = {step.name for step in up._preparations(without)}
    assert "volumes" in names
    assert "share" not in names


def test_a_cloud_with_volumes_runs_cinder_in_its_own_environment(common: Common) -> None:
    """API, scheduler and volume service; its tables are made there, too."""
    whole = _with(common, cinder=True)
    services = {each.name: each.command.argv for each in volumes.services(whole)}
    volume = {"cinder-volume-files", "cinder-volume-nfs"}
    assert set(services) == {"cinder-api", "cinder-scheduler", *volume}
    assert all(argv[0].startswith(str(environment.current())) for argv in services.values())
    (tables,) = (each for each in schema.others(whole.layout) if each.name == "cinder")
    assert tables.python == environment.program("python")
    assert tables.version == environment.current().name


def test_each_backend_has_a_service_of_its_own(common: Common) -> None:
    """A volume service has one backend, whose heartbeats are then that backend's."""
    files = cinder.files(_with(common, cinder=True))
    for backend in cinder.BACKENDS:
        parser = configparser.RawConfigParser(default_section="none")
        parser.read_string(files[cinder.backend_file(common.layout, backend)])
        assert dict(parser["DEFAULT"]) == {"enabled_backends": backend}


def test_every_type_of_volumes_has_a_backend(common: Common) -> None:
    """By the name that the backend reports."""
    conf = _conf(_with(common, cinder=True))
    backends = conf["DEFAULT"]["enabled_backends"].split(",")
    named = {conf[each]["volume_backend_name"] for each in backends}
    assert {specs["volume_backend_name"] for specs in seed.TYPES.values()} == named
    assert conf["DEFAULT"]["default_volume_type"] in seed.TYPES


def test_only_services_may_delete_attachments(common: Common) -> None:
    """Cinder asks for the token of Nova's own user, which Nova sends."""
    assert _conf(_with(common, cinder=True))["keystone_authtoken"]["service_token_roles"]


def test_a_loop_device_that_is_held_is_not_released(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The kernel would answer success and wait for the last user: so the device is asked first."""
    device, calls = tmp_path / "loop0", []
    device.touch()

    def losetup(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(argv)
        return subprocess.CompletedProcess(argv, 0, f"{device}\n", "")

    monkeypatch.setattr(loops.subprocess, "run", losetup)

    def held(path: str, flags: int) -> int:
        raise OSError(loops.errno.EBUSY, "busy")

    monkeypatch.setattr(loops.os, "open", held)
    with pytest.raises(loops.StillHeld, match="still held"):
        loops.release(tmp_path / "volume")
    assert not any("--detach" in argv for argv in calls)
