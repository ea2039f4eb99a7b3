# SPDX-License-Identifier: Apache-2.0
"""Clients of the launched cloud, as a shell has them after ``novadocker-cloud env``."""

import json
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.cloud_fixtures import novadocker_cloud
from tests.support.cloud_site import Site

_BENCH = Path(__file__).resolve().parents[3] / "bench/client"
# The goal is 1.2 s on a quiet machine with two processors; tests run beside others.
_MEDIAN_SECONDS = 6.0


def test_twenty_commands_say_nothing_on_standard_error(
    site: Site, tmp_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """No command of a tenant or an administrator prints anything beside its answer."""
    figures = tmp_path / "figures.json"
    words = ("--state", str(site.layout.state), "--json", str(figures))
    done = subprocess.run(
        [_BENCH, *words, "--bound", str(_MEDIAN_SECONDS)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    measured = json.loads(figures.read_text())
    assert len(measured) == 20
    for unit in ("wall", "processor"):
        median = statistics.median(each[unit] for each in measured.values())
        record_testsuite_property(f"seconds of a command, {unit}", median)


def test_the_shell_finds_the_quiet_command_first(site: Site) -> None:
    """A shell that took the variables runs the clients' own command, and completes words."""
    variables = novadocker_cloud("env", "admin").stdout
    script = f"{variables}\ncommand -v openstack; complete -p openstack; openstack image list"
    done = subprocess.run(["bash", "-euc", script], check=True, capture_output=True, text=True)
    command, completion, *_ = done.stdout.splitlines()
    assert command == str(site.layout.state / "clients/bin/openstack")
    assert "_openstack" in completion
    assert done.stderr == ""
