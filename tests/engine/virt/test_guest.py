# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from novadocker.errors import ContainerConflict, ContainerNotFound, PolicyRefused
from novadocker.policy import Flavor
from novadocker.virt.docker.engine import Image, State
from novadocker.virt.docker.injection.files import Entry, link
from tests.engine.virt.privileges import daemon

KEY = "ssh-ed25519 AAAA me"
SHOW = "stat -c %a:%u:%g {0}/.ssh {0}/.ssh/authorized_keys; cat {0}/.ssh/authorized_keys"


@pytest.mark.parametrize(
    ("user", "home", "owner"),
    [
        ("", "/root", "0:0"),
        ("root", "/root", "0:0"),
        ("0:0", "/root", "0:0"),
        ("web", "/srv/web", "1000:1001"),
        ("1000", "/srv/web", "1000:1001"),
        ("web:web", "/srv/web", "1000:1001"),
    ],
)
def test_a_key_pair_opens_the_images_user(
    servers: Any, make_image: Callable[..., Image], user: str, home: str, owner: str
) -> None:
    """In that user's home, with the modes and the owner that sshd asks for."""
    servers.images.image = make_image(User=user)
    told = servers.tell(SHOW.format(home), public_key=f" {KEY} \n")
    assert told.startswith(f"700:{owner}\n600:{owner}\n{KEY}\n")


@pytest.mark.parametrize("passwd", [None, "", "web\n", "other:x:7:7::/o:/bin/sh\n"])
def test_an_image_without_that_user_gets_no_key(
    servers: Any, make_image: Callable[..., Image], passwd: str | None
) -> None:
    """A number is enough to run as; there is no home to put a key into."""
    servers.images.image = make_image(passwd=passwd, User="4711")
    assert "ended with exit code 0" in servers.tell("exit 0", public_key=KEY)


@pytest.mark.parametrize(
    "passwd",
    [
        "4711:x:not-a-number:1::/h:/bin/sh\n",
        "4711:x:1::::::::\n",
        "->/usr/lib/passwd",
        "->/proc/kcore",
        "4711:x:99999999999:1::/h:/bin/sh\n",
    ],
)
def test_a_strange_passwd_is_no_failed_boot(
    servers: Any, make_image: Callable[..., Image], passwd: str
) -> None:
    """What a tenant wrote there harms that tenant's login alone."""
    servers.images.image = make_image(passwd=passwd, User="4711:4711")
    assert "ended with exit code 0" in servers.tell("exit 0", public_key=KEY)


@pytest.mark.parametrize("user", ["web", "", "1000"])
@pytest.mark.parametrize("target", ["/nix/users", "../nix/users", "other"])
def test_a_passwd_behind_links_is_read(
    servers: Any, make_with: Callable[..., Image], user: str, target: str
) -> None:
    """Images of nix and ostree have a link in place of /etc/passwd; root's home counts too."""
    servers.images.image = make_with(
        link("etc/other", "/nix/users"),
        Entry("nix/users", content=b"web:x:1000:1001::/srv/web:/x\nroot:x:0:0::/var/r:/x\n"),
        passwd=f"->{target}",
        User=user,
    )
    told = servers.tell("cat ~web/.ssh/authorized_keys /var/r/.ssh/authorized_keys", public_key=KEY)
    assert KEY in told


@pytest.mark.parametrize("user", ["web", "0day"])
def test_a_profile_without_root_reads_a_passwd_behind_a_link(
    servers: Any, make_with: Callable[..., Image], user: str
) -> None:
    """An honest user behind a link runs under the profile; another name of root's is refused."""
    servers.images.image = make_with(
        Entry("nix/users", content=b"web:x:1000:1001::/srv/web:/x\n0day:x:0:0::/:/x\n"),
        passwd="->/nix/users",
        User=user,
    )
    flavor = Flavor(1, 32, 1, extra_specs={"docker:profile": "restricted"})
    refused = pytest.raises(PolicyRefused, match="USER = 0day is refused")
    with refused if user == "0day" else contextlib.nullcontext():
        assert "exit code 0" in servers.tell("exit 0", flavor=flavor)


@pytest.mark.parametrize(("name", "kernel"), [("renamed", "renamed"), ("é" * 35, "é" * 32)])
def test_a_server_follows_another_hostname(servers: Any, name: str, kernel: str) -> None:
    """After the next start the kernel says Nova's name, and that resolves."""
    servers.boot("sleep 600")
    servers.ask(hostname=name)
    with daemon():
        servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    command = ("cat", "/proc/sys/kernel/hostname", "/etc/hosts")
    said = servers.engine.run(servers.guest.name, command)[1].decode().splitlines()
    assert said[0] == kernel
    assert kernel in said[-1].split()


def test_a_name_longer_than_the_kernels_room_boots(servers: Any) -> None:
    """The kernel counts bytes, of which a letter may have several."""
    assert "é" * 32 in servers.tell("cat /proc/sys/kernel/hostname", hostname="é" * 35)


def test_the_console_tells_exit_code_and_output(servers: Any) -> None:
    """What was written comes first, then how it ended."""
    told = servers.tell("echo hello; exit 3")
    assert told.startswith("hello\n")
    assert "[nova-docker] the server" in told
    assert "ended with exit code 3 at 20" in told


def test_the_console_tells_of_a_lack_of_memory(servers: Any) -> None:
    """A tenant could not read the kernel's word for it anywhere else."""
    told = servers.tell("x=0123456789; while true; do x=$x$x; done")
    assert "ended with exit code 137, out of memory at" in told


def test_a_running_server_has_no_last_words(servers: Any) -> None:
    """Nothing is added to its console."""
    servers.boot()
    assert servers.guest.console() == b""


def test_a_paused_server_can_be_stopped(servers: Any) -> None:
    """It is thawed first; pausing and thawing may be repeated."""
    servers.boot()
    servers.guest.pause()
    servers.guest.pause()
    assert servers.guest.get().state is State.PAUSED
    servers.guest.stop(0)
    assert servers.guest.get().state is State.EXITED
    servers.guest.unpause()


def test_removing_twice_is_no_error(servers: Any) -> None:
    """Nova repeats deletes."""
    servers.boot()
    servers.guest.remove()
    servers.guest.remove()
    assert servers.guest.find() is None


@pytest.mark.parametrize("call", ["get", "start", "pause", "unpause", "console"])
def test_what_is_not_there_is_not_found(servers: Any, call: str) -> None:
    """Whatever is wanted of it."""
    with pytest.raises(ContainerNotFound):
        getattr(servers.guest, call)()


@pytest.mark.parametrize("call", ["find", "get", "start", "pause", "console", "remove"])
def test_a_foreign_container_is_not_touched(
    servers: Any, docker_api: Any, box: Image, call: str
) -> None:
    """It has our name and not our label."""
    config = docker_api.create_container_config(box.id, ["/bin/sh"])
    made = docker_api.create_container_from_config(config, servers.asked.container)["Id"]
    with pytest.raises(ContainerConflict, match="rename or remove it"):
        getattr(servers.guest, call)()
    assert docker_api.inspect_container(made)["State"]["Status"] == "created"
    docker_api.remove_container(made, v=True)


def test_nothing_of_the_gate_is_in_a_snapshot(servers: Any, docker_api: Any) -> None:
    """A commit has the image's files and the tenant's, neither gate nor bound files."""
    servers.boot("touch /mine; sleep 600")
    while "/mine" not in str(docker_api.diff(servers.guest.get().id)):
        pass
    committed = docker_api.commit(servers.guest.get().id)["Id"]
    probe = docker_api.create_container_from_config(
        docker_api.create_container_config(committed, ["/bin/sh"], entrypoint=[])
    )["Id"]
    exported = b"".join(docker_api.export(probe))
    docker_api.remove_container(probe, v=True)
    docker_api.remove_image(committed)
    with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
        names = archive.getnames()
        sizes = {each.name: each.size for each in archive if each.name.startswith("etc/")}
    assert "mine" in names
    assert not [name for name in names if "novadocker" in name]
    assert {sizes.get(f"etc/{name}", 0) for name in ("hosts", "hostname", "resolv.conf")} == {0}
