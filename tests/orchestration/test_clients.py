# SPDX-License-Identifier: Apache-2.0
"""OpenStack's own clients, unmodified, as a tenant types them."""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud_site import Site, Tenant, until
from tests.support.cloud_stacks import EXAMPLES, Stacks

_ID = re.compile(r"\| id +\| ([0-9a-f-]{36}) ")


@pytest.fixture(scope="module")
def environment(site: Site) -> dict[str, str]:
    """Environment of the older clients, without clouds.yaml."""
    auth: Mapping[str, Any] = site.demo.config.auth
    told = {f"OS_{name.upper()}": str(value) for name, value in auth.items()}
    return {**os.environ, **told, "OS_IDENTITY_API_VERSION": "3", "PYTHONWARNINGS": "ignore"}


def _typed(environment: Mapping[str, str], *words: str | Path) -> str:
    program = Path(sys.executable).parent / words[0]
    done = subprocess.run(
        [program, *words[1:]], check=False, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _id(table: str) -> str:
    found = _ID.search(table)
    assert found, table
    return found[1]


def test_glance_and_nova(
    site: Site, tenant: Tenant, environment: dict[str, str], web_archive: Path
) -> None:
    """The nova-docker way: image-create, boot, show, console-log, delete."""
    name, words = f"test-{uuid.uuid4().hex[:8]}", ("--container-format", "docker")
    glance = ("glance", "image-create", "--name", name, "--disk-format", "raw", *words)
    image = _id(_typed(environment, *glance, "--file", web_archive))
    tenant.images.append(image)
    network = site.demo.network.find_network("private").id
    boot = ("nova", "boot", "--image", image, "--flavor", "c1.nano", "--nic", f"net-id={network}")
    server = _id(_typed(environment, *boot, "--poll", name))
    tenant.servers.append(server)
    assert "ACTIVE" in _typed(environment, "nova", "show", server)
    until(lambda: "serves HTTP" in _typed(environment, "nova", "console-log", server), "its log")
    _typed(environment, "nova", "delete", server)
    tenant.delete(server)


def test_openstack(site: Site, tenant: Tenant, environment: dict[str, str], web: str) -> None:
    """Server commands of the unified client, with its waits."""
    create = ("openstack", "server", "create", "--wait", "-f", "json", "--image", web)
    words = ("--flavor", "c1.nano", "--network", "private", f"test-{uuid.uuid4().hex[:8]}")
    made = json.loads(_typed(environment, *create, *words))
    tenant.servers.append(made["id"])
    assert made["status"] == "ACTIVE"
    _typed(environment, "openstack", "server", "stop", made["id"])
    site.wait(made["id"], "SHUTOFF")
    _typed(environment, "openstack", "server", "delete", "--wait", made["id"])
    tenant.delete(made["id"])


def test_openstack_stack(stacks: Stacks, environment: dict[str, str], web: str) -> None:
    """python-heatclient's commands: create, output, delete, each waited for."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    template = ("-t", EXAMPLES / "heat/group.yaml", "--parameter", "count=1")
    create = ("openstack", "stack", "create", "--wait", "--poll", "1", *template)
    _typed(environment, *create, "--parameter", f"image={web}", name)
    stacks.made.append(stacks.heat.stacks.get(name).id)
    shown = _typed(
        environment, "openstack", "stack", "output", "show", "-f", "json", name, "servers"
    )
    assert stacks.servers(stacks.made[-1])[0] in shown
    _typed(environment, "openstack", "stack", "delete", "--yes", "--wait", name)
    stacks.made.pop()
