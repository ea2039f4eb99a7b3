# SPDX-License-Identifier: Apache-2.0
"""Ansible's openstack.cloud collection, unmodified, with the playbooks of examples/ansible/."""

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from novadocker.cloud.machine import remains_of_server
from tests.support.cloud_site import Site
from tests.support.cloud_stacks import EXAMPLES

ROOT = EXAMPLES.parent
PROGRAM = ROOT / ".venv-ansible/bin/ansible-playbook"
# The tasks of server.yml that make something.
TASKS = 11
_RECAP = re.compile(r"^localhost .* changed=(\d+) .* failed=0 ", re.MULTILINE)


@dataclass(frozen=True)
class Playbooks:
    """Plays as the cloud's tenant, with one name for everything."""

    site: Site
    archive: Path
    prefix: str

    def play(self, name: str, **variables: str) -> int:
        """Run a playbook to its success, and return the number of changed tasks."""
        given = {"prefix": self.prefix, "archive": str(self.archive), **variables}
        words = (word for pair in given.items() for word in ("--extra-vars", "=".join(pair)))
        done = subprocess.run(
            [PROGRAM, EXAMPLES / "ansible" / name, *words],
            check=False,
            capture_output=True,
            text=True,
            env=self._environment,
        )
        recap = _RECAP.search(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert recap, done.stdout
        return int(recap[1])

    @property
    def server(self) -> Any:
        """Server made by the playbook."""
        return self.site.demo.compute.find_server(self.prefix, ignore_missing=False)

    @property
    def _environment(self) -> dict[str, str]:
        told = {"OS_CLIENT_CONFIG_FILE": str(self.site.layout.clouds_yaml), "OS_CLOUD": "demo"}
        return {**os.environ, **told, "ANSIBLE_LOCALHOST_WARNING": "false"}


@pytest.fixture(scope="module")
def playbooks(site: Site, orchestration: Any, web_archive: Path) -> Iterator[Playbooks]:
    """Server made by server.yml; after teardown.yml nothing is left."""
    subprocess.run([ROOT / "tools/ansible"], check=True)
    made = Playbooks(site, web_archive, f"test-{uuid.uuid4().hex[:8]}")
    try:
        assert made.play("server.yml") == TASKS
        subject = remains_of_server.subject(site.demo, made.server.id)
        yield made
    finally:
        made.play("teardown.yml")
    assert not remains_of_server.left(site.layout, site.admin, subject)
    assert made.play("teardown.yml") == 0


def test_a_second_run_changes_nothing(playbooks: Playbooks) -> None:
    """Image, network, group, key pair, port, server and address are found as they were left."""
    before = playbooks.server
    assert playbooks.play("server.yml") == 0
    assert playbooks.server == before


def test_what_a_playbook_says_is_what_the_container_has(site: Site, playbooks: Playbooks) -> None:
    """Metadata are the server's environment; key pair, user data and port are its own."""
    server = playbooks.server.id
    assert "COLOUR=green" in site.run(server, "cat", "/proc/1/environ").split("\0")
    assert "ssh-" in site.run(server, "cat", "/root/.ssh/authorized_keys")
    assert "docker_user_data=run" in site.run(
        server, "cat", "/config-drive/openstack/latest/user_data"
    )
    assert [port.name for port in site.ports(server)] == [playbooks.prefix]


def test_actions_are_played(site: Site, playbooks: Playbooks) -> None:
    """The same server answers after each action, and is rebuilt with the changed metadata."""
    server, container = playbooks.server.id, site.container(playbooks.server.id)["Id"]
    assert playbooks.play("actions.yml", colour="red") == 6
    assert playbooks.server.id == server
    assert site.container(server)["Id"] != container
    assert "COLOUR=red" in site.run(server, "cat", "/proc/1/environ").split("\0")


def test_a_stack_is_played(site: Site, playbooks: Playbooks) -> None:
    """openstack.cloud.stack makes a stack, and changes the stack in place."""
    playbooks.play("stack.yml", count="1")
    playbooks.play("stack.yml", count="2")
    found = [each for each in site.demo.compute.servers() if each.name.startswith(playbooks.prefix)]
    assert sorted(each.status for each in found) == ["ACTIVE"] * 3
