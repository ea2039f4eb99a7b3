# SPDX-License-Identifier: Apache-2.0
"""A saved image becomes a server: surroundings and limits of the process."""

from pathlib import Path

from novadocker.cloud.demo import limits
from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)


def test_its_page_comes_over_its_floating_address(
    site: Site, standing: str, standing_address: str
) -> None:
    """A server is reached from outside by a floating address, and tells its own name."""
    text = page(standing_address)
    assert "Hello from standing" in text
    assert site.fixed_address(standing) in text


def test_its_name_is_the_hostname(site: Site, standing: str) -> None:
    """The processes see the server's name, also in /etc/hostname and /etc/hosts."""
    assert site.run(standing, "hostname").strip() == "standing"
    assert site.run(standing, "cat", "/etc/hostname").strip() == "standing"
    assert f"{site.fixed_address(standing)}\tstanding" in site.run(
        standing, "sed", "s/[ \\t][ \\t]*/\\t/g;s/\\tstanding[.][^\\t]*\\t/\\t/", "/etc/hosts"
    )


def test_metadata_become_environment_variables(site: Site, standing: str) -> None:
    """Each of a server's metadata is in the environment of its process, spaces and all."""
    environment = site.run(standing, "cat", "/proc/1/environ").split("\0")
    assert "COLOUR=light green" in environment
    assert "answer=42" in environment


def test_the_first_process_is_the_images_own(site: Site, standing: str) -> None:
    """No process of ours stays in a server: the image's command is its process 1."""
    assert site.run(standing, "cat", "/proc/1/cmdline").split("\0")[:2] == ["/bin/sh", "/bin/serve"]


def test_its_network_is_there_before_its_first_instruction(site: Site, standing: str) -> None:
    """The process finds the port's address from its start."""
    address = site.fixed_address(standing)
    assert f"standing has inet {address}/24 on eth0" in site.console(standing)


def test_the_key_pair_is_in_authorized_keys(site: Site, standing: str) -> None:
    """A server's key pair lets its owner in: the file is there, and only root reads it."""
    key = site.demo.compute.get_keypair("demo").public_key.split()[1]
    assert key in site.run(standing, "cat", "/root/.ssh/authorized_keys")
    modes = site.run(standing, "stat", "-c", "%a", "/root/.ssh", "/root/.ssh/authorized_keys")
    assert modes.split() == ["700", "600"]


def test_the_flavors_limits_are_the_kernels(site: Site, standing: str) -> None:
    """Memory and processors of the flavor, and a bound on processes, are in the cgroup."""
    flavor = site.server(standing).flavor
    found = limits.of_server(site.host, standing)
    assert (found.memory_mib, found.processors) == (flavor.ram, flavor.vcpus)
    assert found.processes == 1024


def test_its_root_is_nobody_on_the_host(site: Site, standing: str) -> None:
    """A server's root is another user outside, may gain no rights, and has few capabilities."""
    inside, outside, _ = site.run(standing, "cat", "/proc/1/uid_map").split()[:3]
    assert (inside, int(outside) > 0) == ("0", True)
    host = site.container(standing)["HostConfig"]
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not {"CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SYS_PTRACE"} & set(host["CapAdd"])


def test_os_command_line_replaces_the_command(
    site: Site, tenant: Tenant, web_archive: Path
) -> None:
    """The image property os_command_line is run instead of the image's command."""
    line = "sh -c 'echo run by \"$0 $1\"; exec sleep 600' one 'two words'"
    server = tenant.boot(tenant.upload(web_archive, os_command_line=line))
    until(lambda: "run by one two words" in site.console(server), "the command's output")


def test_a_process_writes_to_the_console_log(site: Site, standing: str) -> None:
    """The console log has the output of the server's process, in full or by the last lines."""
    whole = site.console(standing)
    last = site.demo.compute.get_server_console_output(standing, length=3)["output"]
    assert "standing serves HTTP on port 80" in whole
    assert whole.endswith(last)
    assert last.count("\n") == 2


def test_a_container_knows_whose_it_is(site: Site, standing: str) -> None:
    """A server's container carries the ids of its instance and project."""
    labels = site.container(standing)["Config"]["Labels"]
    assert labels["novadocker.instance"] == standing
    assert labels["novadocker.project"] == site.server(standing).project_id
