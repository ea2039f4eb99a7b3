# SPDX-License-Identifier: Apache-2.0
"""An init before the image's command, by ``docker:init`` or ``docker_init``."""

import time
from typing import Any

from novadocker.policy import Flavor
from novadocker.virt.docker.actions.crash_dump import crash
from novadocker.virt.docker.engine import Engine, State
from tests.support.eventually import eventually

REAPING = Flavor(vcpus=1, memory_mib=32, root_gib=1, extra_specs={"docker:init": "true"})
PLAIN = Flavor(vcpus=1, memory_mib=32, root_gib=1)
# Each subshell ends before its child does, which is an orphan then.
ORPHANS = "for n in 1 2 3 4 5; do (sleep 0.2 & exec true); done; sleep 1; echo made; exec sleep 600"
ZOMBIES = ("sh", "-c", "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l")


def zombies(servers: Any) -> int:
    """Return how many processes of a server have ended and are not waited for."""
    assert eventually(lambda: b"made" in servers.guest.console())
    code, output = servers.guest._engine.run(servers.guest.name, ZOMBIES)
    assert code == 0
    return int(output)


def test_orphans_are_waited_for(servers: Any) -> None:
    """No zombie stays behind an init; without one all do."""
    servers.boot(ORPHANS, flavor=PLAIN)
    assert zombies(servers) == 5
    servers.guest.stop(0)
    servers.guest.remove()
    servers.boot(ORPHANS, flavor=REAPING)
    assert zombies(servers) == 0


def test_a_server_behind_an_init_ends_as_its_program_does(servers: Any) -> None:
    """The program's exit code is the server's, and its words are on the console."""
    told = servers.tell("echo process $$; exit 7", flavor=REAPING)
    assert "process 1\r" not in told
    assert "ended with exit code 7" in told


def test_a_stop_reaches_the_program_behind_an_init(servers: Any) -> None:
    """A program without a handler ends at once, where process 1 would be left alone."""
    servers.boot("echo made; exec sleep 600", flavor=REAPING)
    assert eventually(lambda: b"made" in servers.guest.console())
    begun = time.monotonic()
    servers.guest.stop(60)
    assert servers.guest.get().state is State.EXITED
    assert time.monotonic() - begun < 30


def test_a_program_behind_an_init_has_the_terminal(servers: Any) -> None:
    """The program's group is in the terminal's foreground: job control and Ctrl+C are its own."""
    told = servers.tell("cut -d' ' -f5,8 /proc/$$/stat", flavor=REAPING)
    own, foreground = told.split()[:2]
    assert own == foreground


def test_a_crash_dump_reaches_the_program_behind_an_init(servers: Any, engine: Engine) -> None:
    """SIGABRT ends a program without a handler, since the program is not process 1."""
    servers.boot("echo made; exec sleep 600", flavor=REAPING)
    assert eventually(lambda: b"made" in servers.guest.console())
    crash(engine, servers.guest)
    assert eventually(lambda: b"ended with exit code 134" in servers.guest.console())


def test_a_resize_brings_an_init_and_takes_it(servers: Any) -> None:
    """A container made anew has the init of its flavor, and its files."""
    servers.boot("echo again >>/kept; echo made; exec sleep 600", flavor=PLAIN)
    assert eventually(lambda: b"made" in servers.guest.console())
    for flavor in (REAPING, PLAIN):
        servers.ask(flavor=flavor)
        servers.actions.resize.prepare(servers.asked, servers.network, 0)
        servers.actions.resize.finish(servers.asked, servers.network, power_on=True)
        container = servers.guest.get()
        assert container.rights.reaper is (flavor is REAPING)
        servers.actions.resize.confirm(servers.asked.uuid)
