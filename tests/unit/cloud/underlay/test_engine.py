# SPDX-License-Identifier: Apache-2.0
import json
import tomllib
from pathlib import Path

import pytest

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.cloud.underlay import engine

PATHS = EnginePaths(data=Path("/d"), run=Path("/r"))


def test_containerd_has_paths_of_its_own() -> None:
    """Root, state and address lie in our directories, and it opens no TCP port."""
    parsed = tomllib.loads(engine.configuration(PATHS)[PATHS.containerd_toml])
    assert parsed["root"].startswith("/d/")
    assert parsed["state"].startswith("/r/")
    assert parsed["grpc"]["address"] == "/r/containerd.sock"
    assert "io.containerd.grpc.v1.cri" in parsed["disabled_plugins"]


def test_dockerd_reads_no_configuration_of_the_system() -> None:
    """The file is ours and repeats no flag: an option that stands in both is an error."""
    _, dockerd = engine.commands(PATHS)
    assert f"--config-file={PATHS.daemon_json}" in dockerd.argv
    flags = {argument.partition("=")[0].removeprefix("--") for argument in dockerd.argv}
    assert not flags & set(json.loads(engine.configuration(PATHS)[PATHS.daemon_json]))


def test_an_upgraded_engine_finds_its_containers() -> None:
    """Containerd's namespaces are named as 20.10 calls them, by the file and not by flags."""
    members = json.loads(engine.configuration(PATHS)[PATHS.daemon_json])
    assert members["containerd-namespace"] == "moby"
    assert members["containerd-plugins-namespace"] == "plugins.moby"


@pytest.mark.parametrize(
    "flag",
    [
        "--userns-remap=default",
        "--live-restore",
        "--bridge=none",
        "--iptables=false",
        "--ip-forward=false",
        "--containerd=/r/containerd.sock",
        "--data-root=/d/docker",
        "--exec-root=/r/exec",
        "--pidfile=/r/docker.pid",
    ],
)
def test_dockerd_is_kept_apart(flag: str) -> None:
    """Users are remapped, containers outlive it, the host's network is left alone."""
    _, dockerd = engine.commands(PATHS)
    assert flag in dockerd.argv


def test_two_engines_have_two_cgroups() -> None:
    """A sweep finds containers by cgroup, so each engine has a cgroup apart."""
    assert PATHS.cgroup != EnginePaths(data=Path("/d"), run=Path("/other")).cgroup


def test_preparing_twice_is_the_same_as_once(tmp_path: Path) -> None:
    """Directories are traversable for remapped users; a stale process id file goes."""
    paths = EnginePaths(data=tmp_path / "data", run=tmp_path / "run")
    engine.prepare(paths)
    paths.pidfile.write_text("4711")
    engine.prepare(paths)
    assert not paths.pidfile.exists()
    assert paths.data.stat().st_mode & 0o777 == 0o711
    assert paths.containerd_toml.read_text() == engine.configuration(paths)[paths.containerd_toml]
