# SPDX-License-Identifier: Apache-2.0
"""Images made to lead the driver or the engine out of the container, on the way in and later."""

import contextlib
import io
import os
import tarfile
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import EngineError, PolicyRefused
from novadocker.policy import settings_for
from novadocker.virt.docker.console.terminal import terminal_of
from novadocker.virt.docker.container.accounts import Login
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.engine.calls.files import ACCOUNTS_BYTES
from novadocker.virt.docker.injection.files import (
    Entry,
    directory,
    link,
    personality,
)
from novadocker.virt.docker.injection.inputs import Inputs
from novadocker.virt.docker.injection.user_data import UserData
from tests.engine.virt.conftest import Servers, rootfs, saved
from tests.engine.virt.security.conftest import Device, MakeWith

SECRET = "the host's\n"
UP = "../../../../../../../.."
RESOLVES_INSIDE = (1, 51)  # the first API whose engine refuses relative links above the root


@pytest.fixture
def outside() -> Iterator[Path]:
    """A directory of the host's that anybody may write to, with a file that stays as it is."""
    with tempfile.TemporaryDirectory(prefix="nd-", dir="/var/tmp") as made:
        path = Path(made)
        path.chmod(0o777)
        for name in ("secret", "hosts", "shadow", "authorized_keys"):
            (path / name).write_text(SECRET)
            (path / name).chmod(0o666)
        before = sorted(path.rglob("*"))
        yield path
        assert sorted(path.rglob("*")) == before
        assert {file.read_text() for file in before} == {SECRET}


def leading_to(outside: Path, *names: str) -> list[Entry]:
    """Return links by those names, every other one relative."""
    ways = (str(outside), f"{UP}{outside}")
    return [link(name, ways[number % 2]) for number, name in enumerate(names)]


@contextlib.contextmanager
def escape_refused(engine: Engine) -> Iterator[None]:
    """Let a newer engine refuse a link above the root, where older ones stop at the root."""
    if engine.info().api_versions[1] < RESOLVES_INSIDE:
        yield
        return
    try:
        yield
    except PolicyRefused as refused:
        if not any(words in str(refused) for words in ("escapes from parent", "leads astray")):
            raise


@pytest.mark.parametrize(
    "names",
    [
        ("dev", "proc", "sys"),
        ("etc/hosts", "etc/hostname", "etc/resolv.conf"),
        ("dev/pts", "dev/shm", "dev/mqueue", "dev/console", "dev/null", "dev/.novadocker"),
        ("data", "srv"),
    ],
)
def test_what_is_mounted_stays_inside(
    servers: Servers, image_with: MakeWith, outside: Path, names: tuple[str, ...]
) -> None:
    """Links of the image where the engine mounts something, its VOLUME and its WORKDIR among it."""
    made = image_with(
        *leading_to(outside, *names), Volumes={"/data": {}}, WorkingDir="/srv", StopSignal="KILL"
    )
    servers.images.image = made
    with escape_refused(servers.engine):
        told = servers.tell(
            "cat /proc/self/status; echo x > here; echo x > /data/here; ls -d /dev/shm"
        )
        assert "NoNewPrivs:\t1" in told
        assert "/dev/shm" in told


def test_what_is_handed_over_stays_inside(
    servers: Servers, image_with: MakeWith, outside: Path
) -> None:
    """Key, password, files, config drive and user data, all where the image has links outside."""
    names = ("root/.ssh", "esc", "var/lib/cloud", "config-drive")
    inside = [directory(str(part).removeprefix("/"), 0o777) for part in outside.parents[::-1][1:]]
    servers.images.image = image_with(
        directory("root"),
        *inside,
        directory(str(outside).removeprefix("/"), 0o777),
        directory("var/lib"),
        *leading_to(outside, *names),
        link("etc/shadow", f"{UP}{outside}/shadow"),
    )
    servers.ask(f"ls {outside}; sleep 600", public_key="ssh-ed25519 AAAA x")
    inputs = Inputs(
        files=personality([("/esc/file", b"mine"), ("/etc/shadow", b"mine")]),
        login=Login("root", "$6$s$hash"),
        config_drive=lambda _: [("openstack/latest/meta_data.json", b"{}")],
        user_data=UserData(servers.asked.uuid, b"#!/bin/sh\necho ran\n"),
    )
    with escape_refused(servers.engine):
        servers.actions.lifecycle.boot(
            None, servers.asked, None, servers.network, inputs, power_on=True
        )
        servers.wait_for("file")


FIFO = Entry("etc/passwd", tarfile.FIFOTYPE)
LINKED = (Entry("etc/users", tarfile.FIFOTYPE), link("etc/passwd", "users"))
HUGE = Entry("etc/passwd", content=bytes(ACCOUNTS_BYTES + 1))


@pytest.mark.parametrize("entries", [(FIFO,), LINKED, (HUGE,)])
@pytest.mark.parametrize("user", ["", "1000"])
def test_lists_of_users_without_an_end_are_refused(
    servers: Servers, image_with: MakeWith, entries: tuple[Entry, ...], user: str
) -> None:
    """At a FIFO in their place the engine would wait for ever, and hold its container's lock."""
    servers.images.image = image_with(*entries, User=user)
    with pytest.raises(PolicyRefused, match=r"/etc/passwd of the server.*regular file"):
        servers.boot("sleep 600")
    assert servers.guest.find() is None


def test_devices_that_an_image_brings_are_closed(
    servers: Servers, image_with: MakeWith, outside: Path
) -> None:
    """The disk of the host's files, and its memory: an engine may make what a layer has."""
    devices = (
        Device("etc/disk", tarfile.BLKTYPE, mode=0o666, number=outside.stat().st_dev),
        Device("etc/memory", tarfile.CHRTYPE, mode=0o666, number=os.makedev(1, 1)),
        Device("etc/kmsg", tarfile.CHRTYPE, mode=0o666, number=os.makedev(1, 11)),
    )
    for device in devices:
        servers.asked = replace(servers.asked, uuid=str(uuid.uuid4()))
        with contextlib.suppress(EngineError):  # an engine that takes no such layer
            servers.images.image = image_with(device)
            told = servers.tell(f"stat -c %F /{device.path}; cat /{device.path}; echo read $?")
            assert "read 1\n" in told
            assert "Operation not permitted" in told or "No such file" in told


def test_a_server_that_takes_its_users_away_does_not_start_again(
    servers: Servers, image_with: MakeWith
) -> None:
    """The driver and the engine go on, and it can be deleted."""
    servers.boot("rm /etc/group; busybox mkfifo /etc/group; echo ready; sleep 600")
    servers.wait_for("ready")
    begun = time.monotonic()
    with pytest.raises(PolicyRefused, match="/etc/group of the server"):
        servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    assert servers.guest.find() is None
    assert time.monotonic() - begun < 10


def test_a_server_that_takes_its_users_away_runs_no_program(servers: Servers) -> None:
    """A password and a console are refused at once, and the engine goes on to answer."""
    servers.boot("rm /etc/passwd; busybox mkfifo /etc/passwd; echo ready; sleep 600")
    servers.wait_for("ready")
    begun = time.monotonic()
    settings = settings_for(servers.asked.flavor, servers.abilities, servers.bounds)
    with pytest.raises(PolicyRefused, match="/etc/passwd of the server"):
        servers.guest.set_password(Login("root", "$6$s$hash"), settings)
    with pytest.raises(PolicyRefused, match="/etc/passwd of the server"):
        terminal_of(servers.engine, servers.guest.name)
    assert servers.guest.get().alive
    assert time.monotonic() - begun < 10


def test_a_password_is_not_written_into_a_fifo(
    servers: Servers, image_with: MakeWith, outside: Path
) -> None:
    """The server comes without it."""
    servers.images.image = image_with(Entry("etc/shadow", tarfile.FIFOTYPE))
    inputs = Inputs(login=Login("root", "$6$s$hash"))
    servers.ask("stat -c %F /etc/shadow; sleep 600")
    servers.actions.lifecycle.boot(
        None, servers.asked, None, servers.network, inputs, power_on=True
    )
    servers.wait_for("fifo")


def climbing(outside: Path) -> list[tuple[str, bytes, str]]:
    """Return members of a layer that would write outside of it, as CVE-2014-9358's did."""
    return [
        (f"{UP}{outside}/evil", tarfile.REGTYPE, ""),
        (f"{outside}/evil", tarfile.REGTYPE, ""),
        ("way", tarfile.SYMTYPE, str(outside)),
        ("way/evil", tarfile.REGTYPE, ""),
        ("up", tarfile.SYMTYPE, f"{UP}{outside}"),
        ("up/secret", tarfile.REGTYPE, ""),
        ("taken", tarfile.LNKTYPE, f"{outside}/secret"),
        ("taken", tarfile.LNKTYPE, f"{UP}{outside}/secret"),
        (".wh...", tarfile.REGTYPE, ""),
        (".wh..wh..opq", tarfile.REGTYPE, ""),
        ("up/.wh.secret", tarfile.REGTYPE, ""),
    ]


@pytest.mark.parametrize("number", range(11))
def test_no_layer_climbs_out(engine: Engine, outside: Path, number: int) -> None:
    """By name, link or whiteout; the engine refuses it or keeps it inside."""
    members = climbing(outside)
    layer, tag = io.BytesIO(rootfs()), f"climbing:{uuid.uuid4().hex}"
    with tarfile.open(fileobj=layer, mode="a") as tar:
        # What a member goes through comes before it.
        for name, kind, target in [m for m in members[:number] if m[1] == tarfile.SYMTYPE] + [
            members[number]
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            tar.addfile(member)
    with contextlib.suppress(EngineError):  # refused is as good as kept inside
        engine.load_image([saved(layer.getvalue(), {"Cmd": ["/bin/sh"]}, tag)])


def test_a_gate_cannot_be_blocked_or_kept(servers: Any) -> None:
    """Processes that wait at the gate's FIFO hold up neither the driver nor the next start."""
    waits = "i=0; while [ $i -lt 20 ]; do cat /dev/.novadocker/open & i=$((i+1)); done"
    servers.boot(f"{waits}; echo ran; sleep 600")
    servers.wait_for("ran")
    begun = time.monotonic()
    servers.actions.interfaces.repair(servers.asked, servers.network)
    servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    assert time.monotonic() - begun < 10
    deadline = time.monotonic() + 10
    while servers.guest.console().count(b"ran") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_command_that_is_the_gate_waits_for_itself_alone(servers: Any) -> None:
    """Neither a loop through its own program nor a second gate keeps the driver."""
    gate = "/dev/.novadocker/gate /dev/.novadocker/open"
    servers.boot(None, command_line=f"{gate} /bin/sleep 600")
    assert servers.guest.get().alive
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    assert "usage: gate" in servers.tell(None, command_line="/proc/self/exe")
