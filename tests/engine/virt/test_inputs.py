# SPDX-License-Identifier: Apache-2.0
"""What a tenant hands over is in a container before its first instruction, as its image allows."""

import dataclasses
import io
import re
import shutil
import stat
import subprocess
import tarfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from passlib.hash import sha512_crypt

from novadocker.errors import (
    ContainerNotFound,
    EngineError,
    PasswordNotSet,
    PolicyRefused,
)
from novadocker.policy import Flavor, Settings, settings_for
from novadocker.virt.docker.container.accounts import Login
from novadocker.virt.docker.engine import Engine, Image
from novadocker.virt.docker.injection.files import (
    Entry,
    link,
    packed,
    personality,
)
from novadocker.virt.docker.injection.inputs import Inputs
from novadocker.virt.docker.injection.user_data import UserData
from tests.engine.virt.conftest import saved

SHADOW = b"root:*:19000:0:99999:7:::\nweb:!:19000:0:99999:7:::\n"
TREE = [("openstack/latest/meta_data.json", b"{}"), ("openstack/content/0000", b"one")]
SCRIPT = b"#!/bin/sh\necho script of $(id -u)\n"

MakeWith = Callable[..., Image]


def told(servers: Any, script: str, **inputs: Any) -> str:
    """Boot a script with inputs and return what it printed, when it has ended."""
    servers.ask(script)
    servers.actions.lifecycle.boot(
        None, servers.asked, None, servers.network, Inputs(**inputs), power_on=True
    )
    servers.wait_for_end()
    return servers.guest.console().decode().replace("\r\n", "\n")


def granted(servers: Any) -> Settings:
    """Return limits and rights of the server asked for."""
    return settings_for(servers.asked.flavor, servers.abilities, servers.bounds)


def file_of(servers: Any, path: str) -> tuple[bytes, int]:
    """Return what a container's file has in it, and its mode."""
    read = b"".join(servers.engine.get_file(servers.asked.container, path))
    with tarfile.open(fileobj=io.BytesIO(read)) as tar:
        (member,) = tar.getmembers()
        content = tar.extractfile(member)
        assert content
        return content.read(), stat.S_IMODE(member.mode)


# Config drive


def test_a_config_drive_is_there_and_cannot_be_written(servers: Any) -> None:
    """At its own place and where cloud-init looks for a seed, for any user."""
    script = (
        "cat /config-drive/openstack/content/0000; echo; id -u;"
        "ls /var/lib/cloud/seed/config_drive/openstack;"
        "touch /config-drive/x; stat -c %u:%a /var/lib/cloud"
    )
    output = told(servers, script, config_drive=lambda _: TREE)
    assert output.startswith("one\n0\ncontent  latest\n")
    assert "Read-only file system" in output
    assert "0:755" in output


def test_a_config_drive_waits_for_the_ports(servers: Any) -> None:
    """It is rendered of what Nova has of them."""
    asked: list[Any] = []
    told(servers, "exit", config_drive=lambda ports: asked.append(ports) or [])
    assert asked == [servers.network.info]


def test_a_config_drive_that_fails_leaves_nothing(servers: Any) -> None:
    """Neither container nor files."""

    def fail(_: Any) -> Any:
        raise LookupError

    with pytest.raises(LookupError):
        told(servers, "exit", config_drive=fail)
    assert servers.guest.find() is None
    assert list(servers.instances.iterdir()) == []


def test_strangers_on_the_host_get_at_nothing_of_it(servers: Any) -> None:
    """Passwords and user data are in it."""
    servers.ask("sleep 600")
    servers.actions.lifecycle.boot(
        None,
        servers.asked,
        None,
        servers.network,
        Inputs(config_drive=lambda _: TREE),
        power_on=True,
    )
    drive = servers.instances / servers.asked.uuid / "gate/config-drive/openstack"
    read = ["cat", str(drive / "content/0000")]
    assert subprocess.run(read, check=True, capture_output=True).stdout == b"one"
    refused = subprocess.run(read, check=False, capture_output=True, user=65534, group=65534)
    assert b"Permission denied" in refused.stderr


# Files


def test_files_are_there_before_the_first_instruction(servers: Any, make_with: MakeWith) -> None:
    """Root's, through links and new directories, in place of what was there."""
    servers.images.image = make_with(link("var/run", "/run"), Entry("run/x"), Entry("etc/old"))
    files = personality(
        [
            ("/etc/motd", b"hello\n"),
            ("new/deep/é", b"\0"),
            ("/var/run/file", b""),
            ("/etc/old", b"n"),
        ]
    )
    output = told(
        servers,
        "cat /etc/motd /etc/old; echo; stat -c %a:%u:%g:%s /etc/motd /new /new/deep/* /run/file",
        files=files,
    )
    assert output.startswith("hello\nn\n644:0:0:6\n755:0:0:")
    assert "\n644:0:0:1\n644:0:0:0\n" in output


@pytest.mark.parametrize(("path", "why"), [("/bin", "directory"), ("/etc/passwd/x", "")])
def test_a_file_that_the_image_has_no_place_for_is_refused(
    servers: Any, make_with: MakeWith, path: str, why: str
) -> None:
    """A directory is not replaced; nothing of the server is left."""
    with pytest.raises(PolicyRefused, match=f"personality file = {path} is refused.*{why}"):
        told(servers, "exit", files=personality([(path, b"")]))
    assert servers.guest.find() is None
    assert list(servers.instances.iterdir()) == []


def test_a_file_behind_a_link_to_nothing_is_refused_or_there(
    servers: Any, make_with: MakeWith
) -> None:
    """Docker 28 makes the directory, older engines refuse, and no engine loses the file."""
    servers.images.image = make_with(link("dangling", "/nowhere"))
    files = personality([("/dangling/x", b"found\n")])
    if servers.engine.info().api_versions[1] >= (1, 51):
        assert told(servers, "cat /nowhere/x", files=files).startswith("found\n")
        return
    with pytest.raises(PolicyRefused, match="personality file = /dangling/x is refused"):
        told(servers, "exit", files=files)
    assert servers.guest.find() is None


# Passwords


def test_a_password_is_set_and_the_file_is_as_private_as_before(
    servers: Any, make_with: MakeWith
) -> None:
    """The rights and the group of /etc/shadow stay."""
    shadow = dataclasses.replace(Entry("etc/shadow", content=SHADOW, mode=0o640), gid=42)
    servers.images.image = make_with(shadow)
    output = told(
        servers, "stat -c %a:%u:%g /etc/shadow; cat /etc/shadow", login=Login.of("web", "secret")
    )
    found = re.search(
        r"^640:0:42\nroot:\*:19000:.*\nweb:([^:]+):\d+:0:99999:7:::$", output, re.MULTILINE
    )
    assert found
    assert sha512_crypt.verify("secret", found[1])


@pytest.mark.parametrize("shadow", [None, Entry("etc/shadow"), link("etc/shadow", "/proc/kcore")])
def test_an_image_without_that_user_gets_no_password(
    servers: Any, make_with: MakeWith, shadow: Entry | None
) -> None:
    """That is its tenant's own loss, and no failed boot."""
    servers.images.image = make_with(*([shadow] if shadow else []))
    assert "exit code 0" in told(servers, "exit 0", login=Login.of("root", "secret"))


@pytest.fixture(scope="session")
def with_chpasswd(make_with: MakeWith) -> Image:
    """An image with this machine's chpasswd and what that wants."""
    program = shutil.which("chpasswd", path="/usr/sbin:/sbin")
    assert program, "the package passwd is needed"
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    libraries = re.findall(r"(/\S+) \(", listed)
    files = {Path(path): Path(path).read_bytes() for path in (program, *libraries)}
    entries = (
        Entry(str(path).removeprefix("/"), content=content, mode=0o755)
        for path, content in files.items()
    )
    return make_with(*entries, Entry("etc/shadow", content=SHADOW, mode=0o600))


def test_a_running_server_gets_another_password(servers: Any, with_chpasswd: Image) -> None:
    """By its own chpasswd; the user is root, or the one that is named."""
    servers.images.image = with_chpasswd
    servers.boot("sleep 600")
    for user in ("root", "web"):
        servers.guest.set_password(Login.of(user, f"of {user}"), granted(servers))
    shadow, mode = file_of(servers, "/etc/shadow")
    hashes = dict(line.split(":")[:2] for line in shadow.decode().splitlines())
    assert {user: sha512_crypt.verify(f"of {user}", hashes[user]) for user in hashes} == {
        "root": True,
        "web": True,
    }
    assert mode == 0o600


@pytest.mark.parametrize(
    ("specs", "reason"),
    [
        ({"docker:profile": "restricted"}, "profile restricted runs nothing as root"),
        ({"docker:read_only": "true"}, "the root file system is read-only"),
    ],
)
def test_a_profile_without_root_or_writing_runs_no_chpasswd(
    servers: Any, make_with: MakeWith, specs: dict[str, str], reason: str
) -> None:
    """A shell of the tenant's own image would run as root otherwise."""
    servers.images.image = make_with(User="web")
    servers.boot("sleep 600", flavor=Flavor(1, 32, 1, extra_specs=specs))
    with pytest.raises(PasswordNotSet, match=reason):
        servers.guest.set_password(Login.of("root", "secret"), granted(servers))
    assert servers.guest.get().programs == ()


def test_a_user_that_is_not_there_cannot_have_a_password(
    servers: Any, with_chpasswd: Image
) -> None:
    """The reason is told, and nothing is changed."""
    servers.images.image = with_chpasswd
    servers.boot("sleep 600")
    with pytest.raises(PasswordNotSet, match="user mallory cannot be set: chpasswd ended with"):
        servers.guest.set_password(Login.of("mallory", "secret"), granted(servers))
    assert file_of(servers, "/etc/shadow")[0] == SHADOW


@pytest.mark.parametrize("shell", [True, False])
def test_an_image_without_the_program_is_told_so(
    servers: Any, make_with: MakeWith, engine: Engine, shell: bool
) -> None:
    """Without chpasswd, or without a shell that could feed it."""
    servers.images.image = make_with(Entry("etc/shadow", content=SHADOW))
    servers.boot("sleep 600")
    if not shell:
        engine.run(servers.guest.name, ("/bin/busybox", "rm", "/bin/sh"))
    with pytest.raises(PasswordNotSet, match="the image has no chpasswd"):
        servers.guest.set_password(Login.of("root", "secret"), granted(servers))


def test_a_password_goes_where_a_link_leads(servers: Any, make_with: MakeWith) -> None:
    """The link in place of /etc/shadow stays a link, and its file gets the hash."""
    servers.images.image = make_with(
        link("etc/shadow", "/nix/shadow"), Entry("nix/shadow", content=SHADOW, mode=0o600)
    )
    output = told(servers, "ls -l /etc/shadow; cat /nix/shadow", login=Login.of("web", "secret"))
    assert "/etc/shadow -> /nix/shadow" in output
    assert "web:$6$" in output


# User data


def test_user_data_run_once_before_the_command(servers: Any) -> None:
    """On the console, as the image's user; a restart runs the command alone."""
    servers.ask("echo command; sleep 600")
    data = UserData(servers.asked.uuid, SCRIPT)
    servers.actions.lifecycle.boot(
        None, servers.asked, None, servers.network, Inputs(user_data=data), power_on=True
    )
    servers.wait_for("command")
    assert servers.guest.console() == b"script of 0\r\ncommand\r\n"
    servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    servers.wait_for("command\r\ncommand")
    assert servers.guest.console().count(b"script") == 1


def test_the_command_stays_the_first_process(servers: Any) -> None:
    """The shell that ran the user data has become it."""
    data = UserData(servers.asked.uuid, SCRIPT)
    output = told(servers, "cat /proc/1/cmdline; echo; echo process $$", user_data=data)
    assert "sh\0-c\0cat /proc/1/cmdline" in output
    assert "process 1\n" in output


def test_user_data_run_as_the_images_user(servers: Any, make_with: MakeWith) -> None:
    """Who can remember it where only root may write else."""
    servers.images.image = make_with(User="web:web")
    output = told(servers, "exit", user_data=UserData(servers.asked.uuid, SCRIPT))
    assert output.startswith("script of 1000\n")
    assert "not run" not in output


def test_an_image_without_a_shell_cannot_run_user_data(
    servers: Any, make_with: MakeWith, engine: Engine
) -> None:
    """Its server would end at once, for a reason that its tenant could not see."""
    tag, layer = f"bare:{uuid.uuid4().hex}", packed([Entry("bin/true", mode=0o755)])
    engine.load_image([saved(layer, {"Cmd": ["/bin/true"]}, tag)])
    servers.images.image = engine.find_image(tag)
    with pytest.raises(PolicyRefused, match="only of an image with /bin/sh"):
        told(servers, "exit", user_data=UserData(servers.asked.uuid, SCRIPT))
    assert servers.guest.find() is None


# Programs that are run and waited for


def test_a_program_is_fed_and_heard(servers: Any, engine: Engine) -> None:
    """Both of its outputs, its exit code, and as whom it was asked to run."""
    servers.boot("sleep 600")
    name = servers.guest.name
    script = "read -r line; echo got $line; echo error >&2; id -u; exit 3"
    code, output = engine.run(name, ("sh", "-c", script), stdin=b"fed\n", user="web")
    # The two come by ways of their own.
    assert (code, sorted(output.split(b"\n"))) == (3, [b"", b"1000", b"error", b"got fed"])
    assert engine.run(name, ("/bin/nothing",))[0] in (126, 127)


def test_a_program_that_does_not_end_is_not_waited_for(servers: Any, engine: Engine) -> None:
    """A tenant's own program cannot hold a thread of the service."""
    servers.boot("sleep 600")
    with pytest.raises(EngineError, match="no end after 1 s"):
        engine.run(servers.guest.name, ("sh", "-c", "while :; do echo endless; done"), timeout=1)


def test_a_container_that_is_not_there_runs_nothing(engine: Engine) -> None:
    """Absence has its own error."""
    with pytest.raises(ContainerNotFound):
        engine.run("nova-none", ("true",))
