# SPDX-License-Identifier: Apache-2.0
"""Nova's own tests of drivers, in a form that fails where the driver does not implement."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest

from novadocker.gate import start_gate
from novadocker.virt.docker.engine import Engine
from tests.engine.virt.conftest import rootfs, saved

SUITE = "tests.engine.virt.nova_suite"
ROOT = Path(__file__).parents[3]
# A driver that implements nothing passes all of Nova's tests but one: they catch its
# NotImplementedError, and log it. Here it is a failure, but for these methods.
UNIMPLEMENTED = {
    "block_stats": "no code of Nova calls it",
    "get_host_cpu_stats": "for a monitor of hosts' processors, off unless asked for",
    "get_instance_disk_info": "for live migration of disks in files of their own",
    "host_power_action": "an operator switches a host off by other means, as with libvirt",
    "obj_load_attr": "no method of the driver's: Nova's live migration has no answer of the checks",
    "poll_rebooting_instances": "no reboot hangs: each call to the engine has its time limit",
    "restore": "nova-compute starts the server instead",
    "set_host_enabled": "nova-compute tells Placement, which is all there is to do",
    "soft_delete": "nova-compute stops the server instead",
}
# What the driver refuses with a reason that the tenant sees.
REFUSED = {
    "test_get_mks_console": "they have no screen",
    "test_get_spice_console": "they have no screen",
    "test_get_vnc_console": "they have no screen",
}
# What a host without CRIU refuses. With CRIU tests/engine/checkpoint has servers suspended.
WITHOUT_CRIU = ("test_resume_suspended_instance", "test_suspend")
# What Nova's tests ask for without a live migration under way. tests/hosts has real ones.
NOT_MOVING = ("test_live_migration_abort", "test_live_migration_force_complete")
TESTS = 64
# Its process handles what a crash dump and a stop are asked for with.
SERVE = "trap : ABRT; trap exit TERM; while :; do sleep 600 & wait; done"


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    """An image whose passwords can be changed, as far as its server can tell."""
    layer = io.BytesIO(rootfs())
    with tarfile.open(fileobj=layer, mode="a") as tar:
        chpasswd = b"#!/bin/sh\nexec cat >/etc/shadow\n"
        entry = tarfile.TarInfo("bin/chpasswd")
        entry.mode, entry.size = 0o755, len(chpasswd)
        tar.addfile(entry, io.BytesIO(chpasswd))
    tag = "novas:tests"
    engine.load_image([saved(layer.getvalue(), {"Cmd": ["/bin/sh", "-c", SERVE]}, tag)])
    return tag


@pytest.fixture(scope="module")
def outcomes(engine_socket: Path, image: str) -> dict[str, Any]:
    """What came of each of Nova's tests, by its name."""
    with tempfile.TemporaryDirectory(prefix="nd-", dir="/var/tmp") as scratch:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", SUITE],
            check=False,
            cwd=ROOT,
            env={
                **os.environ,
                "TMPDIR": scratch,
                # Else importing Nova's tests would put eventlet under everything.
                "OS_NOVA_DISABLE_EVENTLET_PATCHING": "true",
                "NOVADOCKER_TEST_ENGINE": f"unix://{engine_socket}",
                "NOVADOCKER_TEST_IMAGE": image,
                "NOVADOCKER_TEST_GATE": str(start_gate.PROGRAM),
            },
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    return {each["test"]: each for each in map(json.loads, done.stdout.splitlines())}


def test_novas_own_tests_of_drivers_pass(outcomes: dict[str, Any]) -> None:
    """All of them, but those of what is refused."""
    failed = {name: each["fault"] for name, each in outcomes.items() if each["fault"]}
    expected = (*REFUSED, *WITHOUT_CRIU, *NOT_MOVING)
    unexpected = {name: fault for name, fault in failed.items() if name not in expected}
    assert not unexpected, "\n\n".join(unexpected.values())
    assert len(outcomes) == TESTS


def test_nothing_else_is_unimplemented(outcomes: dict[str, Any]) -> None:
    """The methods that are not, each with its reason, are known; and no more than these."""
    missing = {name for each in outcomes.values() for name in each["unimplemented"]}
    assert missing == set(UNIMPLEMENTED)


@pytest.mark.parametrize("name", NOT_MOVING)
def test_a_server_that_does_not_move_refuses_with_the_reason(
    outcomes: dict[str, Any], name: str
) -> None:
    """Neither an abort nor a completion has anything to act on."""
    last = outcomes[name]["fault"].strip().splitlines()[-1]
    assert "The server cannot move while it runs: " in last


@pytest.mark.parametrize("name", WITHOUT_CRIU)
def test_a_host_without_criu_refuses_a_suspension_with_the_reason(
    outcomes: dict[str, Any], name: str
) -> None:
    """Nova leaves the server as it is."""
    last = outcomes[name]["fault"].strip().splitlines()[-1]
    assert "Instance rollback performed" in last
    assert "[docker] criu names no program called criu" in last


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_what_is_not_for_containers_is_refused_with_a_reason(
    outcomes: dict[str, Any], name: str, reason: str
) -> None:
    """The error says that it is not for containers, and why."""
    last = outcomes[name]["fault"].strip().splitlines()[-1]
    assert "not for containers: " in last
    assert reason in last
