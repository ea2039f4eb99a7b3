# SPDX-License-Identifier: Apache-2.0
"""A tenant's inputs for a build are there before the server's first instruction."""

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openstack.exceptions import ConflictException
from passlib.hash import sha512_crypt

from novadocker.cloud.samples import CACHE, SSH
from tests.support.cloud_site import Site, Tenant, until

# The newest that knows files ("personality") beside tags of interfaces.
MICROVERSION = "2.52"
PASSWORD = "correct horse battery"
METADATA = "http://169.254.169.254/openstack/latest/meta_data.json"
# The image's command: the first thing that it does is to keep what is there.
COMMAND = (
    "sh -c 'mkdir /seen;"
    " cp -rL /config-drive/openstack/latest /etc/motd /root/.ssh/authorized_keys /seen;"
    " cp /var/lib/cloud/seed/config_drive/openstack/content/0000 /run-by-user-data /seen;"
    " exec sleep 600'"
)
USER_DATA = (
    b"#!/bin/sh\nread -r greeting </etc/motd\necho $greeting, user data >/run-by-user-data\n"
)


def request(tenant: Tenant, image: str, **values: Any) -> str:
    """Ask for a server in an old microversion, and return its id."""
    compute, network = tenant.site.demo.compute, tenant.site.demo.network
    body = {
        "name": f"test-{uuid.uuid4().hex[:8]}",
        "imageRef": image,
        "flavorRef": compute.find_flavor("c1.nano").id,
        "networks": [{"uuid": network.find_network("private").id, "tag": "management"}],
        **values,
    }
    answer = compute.post("/servers", json={"server": body}, microversion=MICROVERSION)
    made = str(answer.json()["server"]["id"])
    tenant.servers.append(made)
    return made


def personality(path: str, content: bytes) -> list[dict[str, str]]:
    """Return one file as the API wants it."""
    return [{"path": path, "contents": base64.b64encode(content).decode()}]


@dataclass
class Handed:
    """A server that was handed everything."""

    site: Site
    server: str

    def saw(self, path: str) -> str:
        """Return what the image's command found first of all."""
        return self.site.run(self.server, "cat", f"/seen/{path}")

    @property
    def metadata(self) -> Any:
        """Contents of a server's config drive."""
        return json.loads(self.saw("latest/meta_data.json"))


@pytest.fixture(scope="module")
def handed(site: Site, web_archive: Path) -> Iterator[Handed]:
    """A server with a config drive, user data that run, a file, a key, a tagged port."""
    tenant = Tenant(site)
    try:
        server = request(
            tenant,
            tenant.upload(web_archive, os_command_line=COMMAND, docker_user_data="run"),
            config_drive=True,
            key_name="demo",
            metadata={"COLOUR": "green"},
            user_data=base64.b64encode(USER_DATA).decode(),
            personality=personality("/etc/motd", b"good day\n"),
            adminPass=PASSWORD,
        )
        site.wait(server, "ACTIVE")
        until(lambda: "run-by-user-data" in site.run(server, "ls", "/seen"), "its first deeds")
        yield Handed(site, server)
    finally:
        tenant.leave()


def test_the_config_drive_tells_all_of_it(handed: Handed) -> None:
    """Names, metadata, key, password, user data, files and the network, as a VM's does."""
    told = handed.metadata
    assert told["uuid"] == handed.server
    assert told["meta"] == {"COLOUR": "green"}
    assert (list(told["public_keys"]), told["admin_pass"]) == (["demo"], PASSWORD)
    assert told["files"] == [{"path": "/etc/motd", "content_path": "/content/0000"}]
    assert handed.saw("latest/user_data").encode() == USER_DATA
    network = json.loads(handed.saw("latest/network_data.json"))
    (port,) = handed.site.ports(handed.server)
    assert [link["ethernet_mac_address"] for link in network["links"]] == [port.mac_address]
    assert handed.site.server(handed.server).has_config_drive


def test_an_interfaces_tag_is_told_by_both(handed: Handed) -> None:
    """Config drive and metadata service name the interface by its MAC."""
    (port,) = handed.site.ports(handed.server)
    expected = [("nic", port.mac_address, ["management"])]
    service = json.loads(handed.site.run(handed.server, "wget", "-q", "-O", "-", METADATA))
    for told in (handed.metadata, service):
        found = [(each["type"], each["mac"], each["tags"]) for each in told["devices"]]
        assert found == expected


def test_files_keys_and_user_data_were_there_first(handed: Handed) -> None:
    """The command found the file, the key, and what the user data had made of the file."""
    key = handed.site.demo.compute.get_keypair("demo").public_key.split()[1]
    assert handed.saw("motd") == handed.saw("0000") == "good day\n"
    assert key in handed.saw("authorized_keys")
    assert handed.saw("run-by-user-data") == "good day, user data\n"
    assert handed.site.run(handed.server, "stat", "-c", "%a:%u", "/etc/motd") == "644:0\n"


def test_the_password_is_the_one_that_nova_answered(handed: Handed) -> None:
    """Root has the password of the answer, and the earlier password is gone."""
    line = handed.site.run(handed.server, "head", "-n", "1", "/etc/shadow")
    assert sha512_crypt.verify(PASSWORD, line.split(":")[1])


def test_user_data_run_once(handed: Handed) -> None:
    """A reboot runs the image's command alone, and the config drive is still there."""
    handed.site.run(handed.server, "rm", "-r", "/run-by-user-data", "/seen")
    handed.site.demo.compute.reboot_server(handed.server, "HARD")
    handed.site.wait(handed.server, "ACTIVE")
    until(lambda: "0000" in handed.site.run(handed.server, "ls", "/seen"), "its first deeds")
    assert "run-by-user-data" not in handed.site.run(handed.server, "ls", "/seen")
    assert handed.metadata["uuid"] == handed.server


def test_a_password_needs_a_program_in_the_image(handed: Handed) -> None:
    """Else the API says why, and the server is as it was."""
    with pytest.raises(ConflictException, match="the image has no chpasswd"):
        handed.site.demo.compute.change_server_password(handed.server, "another")
    assert handed.site.server(handed.server).status == "ACTIVE"
    assert handed.site.server(handed.server).task_state is None


def test_a_running_servers_password_is_changed(site: Site, tenant: Tenant) -> None:
    """By the image's own chpasswd."""
    server = tenant.boot(tenant.upload(SSH.saved(CACHE, site.host.engine.url)))
    site.demo.compute.change_server_password(server, PASSWORD)
    line = site.run(server, "head", "-n", "1", "/etc/shadow")
    assert sha512_crypt.verify(PASSWORD, line.split(":")[1])


def test_a_file_without_a_place_ends_the_build_with_the_reason(
    site: Site, tenant: Tenant, web: str
) -> None:
    """The server's fault names the path, whether any container or this image refuses it."""
    why = {"/etc/../x": "without '..'", "/etc/hosts": "outside of /etc/hosts", "/bin": "directory"}
    servers = {
        path: request(tenant, web, personality=personality(path, b"x"), networks="none")
        for path in why
    }
    for path, server in servers.items():
        until(lambda server=server: site.server(server).status == "ERROR", "the build to end")
        fault = site.fault(server)
        assert "personality file = " in fault
        assert path in fault
        assert why[path] in fault
