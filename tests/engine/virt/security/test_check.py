# SPDX-License-Identifier: Apache-2.0
"""What ``novadocker-check`` says of a real engine and the host that it runs on."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# None of these depends on the machine: the suite's own engine is set up so.
WELL = {"user namespaces", "seccomp", "live-restore", "experimental", "bridge", "registries"}
NEEDED = {"engine", "configuration", "driver", "instances_path", "socket"}


@pytest.fixture(scope="module")
def told(engine_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All findings, of one run of the command."""
    conf = tmp_path_factory.mktemp("check") / "nova.conf"
    conf.write_text(
        "[DEFAULT]\ncompute_driver = novadocker.virt.docker.DockerDriver\n"
        "instances_path = /var/tmp/nd-no-such\n"
        f"[docker]\nhost_url = unix://{engine_socket}\n"
        f"[novadocker_privileged]\nhelper_command = {sys.executable} -m oslo_privsep.daemon\n"
    )
    program = "import sys; from novadocker.virt.docker.check.command import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "--config-file", conf, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == ("missing" in [each["verdict"] for each in found])
    return found


def verdicts(told: list[dict[str, Any]]) -> dict[str, str]:
    """Return verdicts by item, the last of those with one name."""
    return {each["item"]: each["verdict"] for each in told}


def test_a_sound_engine_is_well(told: list[dict[str, Any]]) -> None:
    """It is set up as docs/operator.md says."""
    found = verdicts(told)
    assert {name: found[name] for name in WELL | NEEDED} == dict.fromkeys(WELL | NEEDED, "ok")
    assert found["subordinate ids"] == "ok"
    assert found["root by the socket"] == "ok"


def test_every_warning_says_what_to_do(told: list[dict[str, Any]]) -> None:
    """Beside what was seen; only what os-vif says of a switch that is not there has no more."""
    odd = [
        each
        for each in told
        if each["verdict"] != "ok" and not each["fix"] and not each["item"].startswith("ports of")
    ]
    assert odd == []


def test_versions_are_looked_at(told: list[dict[str, Any]]) -> None:
    """By name where something is known of them, or in one line where nothing is."""
    found = [each["words"] for each in told if each["item"] == "version"]
    assert found
    assert all("CVE-" in words or words.startswith("nothing known of Engine") for words in found)
