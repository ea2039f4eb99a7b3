# SPDX-License-Identifier: Apache-2.0
"""Clients of the launched cloud, as a shell has them after ``novadocker-cloud env``."""

import statistics
import subprocess
import time
from collections.abc import Callable

from novadocker.cloud.clients import environment
from tests.support.cloud_fixtures import novadocker_cloud
from tests.support.cloud_site import Site

COMMANDS = (
    "server list",
    "image list",
    "flavor list",
    "network list",
    "subnet list",
    "port list",
    "router list",
    "keypair list",
    "floating ip list",
    "security group list",
    "quota show",
    "token issue",
    "catalog list",
    "availability zone list",
    "server group list",
    "network agent list",
    "hypervisor list",
    "compute service list",
    "project list",
    "docker image check --help",
)
# The goal is 1.2 s on a quiet machine with two processors; tests run beside others.
_MEDIAN_SECONDS = 4.0


def test_twenty_commands_say_nothing_on_standard_error(
    site: Site, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """No command of a tenant or an administrator prints anything beside its answer."""
    variables = novadocker_cloud("env", "admin").stdout
    seconds = []
    for words in COMMANDS:
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-euc", f"{variables}\nexec openstack {words}"],
            check=False,
            capture_output=True,
            text=True,
        )
        seconds.append(time.monotonic() - began)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert done.stdout, words
    record_testsuite_property("seconds of a command", statistics.median(seconds))
    assert statistics.median(seconds) < _MEDIAN_SECONDS
    assert environment.command(site.layout).exists()
