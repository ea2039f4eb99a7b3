# SPDX-License-Identifier: Apache-2.0
"""Rounds of attach, write and detach, half of them with a service killed in the middle.

``NOVADOCKER_VOLUME_ROUNDS`` says how many. Every line that was synchronised is also kept outside.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from openstack.exceptions import HttpException, SDKException

from tests.support.cloud_site import PAUSE, Site, until
from tests.volumes.conftest import PLACE, Volumes

ROUNDS = int(os.environ.get("NOVADOCKER_VOLUME_ROUNDS", "200"))
SEED = 17
VICTIMS = ("nova-compute", "dockerd", "cinder-volume-files")
LEDGER = f"{PLACE}/ledger"
# Longer than a call over the bus, which waits this long for a service that was killed.
PATIENCE = 75
TRIES = 5
_LATEST = 1.5


class Subject:
    """One volume of one server, brought and taken whatever is killed meanwhile.

    Args:
        site: the cloud.
        server: id of the server.
        volumes: volumes of the tenant.
        volume: id of the volume.
    """

    def __init__(self, site: Site, server: str, volumes: Volumes, volume: str) -> None:
        self._site = site
        self._compute: Any = site.demo.compute
        self._server = server
        self._volumes = volumes
        self._volume = volume

    def attach(self, disturb: Callable[[], None]) -> None:
        """Attach the volume; whatever was cut short is taken back and tried again."""
        for _ in range(TRIES):
            self._ask(self._compute.create_volume_attachment, volume_id=self._volume)
            disturb()
            if self._settled() == "in-use" and self._is_mounted():
                return
            disturb = _nothing
            self.detach(disturb)
        pytest.fail(f"volume {self._volume} was not attached in {TRIES} tries")

    def detach(self, disturb: Callable[[], None]) -> None:
        """Detach the volume, until others can have it."""
        for _ in range(TRIES):
            if self._volume in self._volumes.of(self._server):
                self._ask(self._compute.delete_volume_attachment, self._volume)
                disturb()
            if self._settled() == "available" and not self._volumes.remains(self._volume):
                self._forget()
                assert not self._is_mounted()
                return
            disturb = _nothing
        pytest.fail(f"left: {self._volumes.remains(self._volume)}")

    def _forget(self) -> None:
        """Have Nova forget a volume that Cinder calls free.

        A nova-compute that dies after Cinder was told, and before Nova's record is removed,
        leaves a record that can be neither detached nor attached again. A reboot removes it.
        """
        if self._volume in self._volumes.of(self._server):
            self._compute.reboot_server(self._server, "HARD")
            self._site.wait(self._server, "ACTIVE")
            assert self._volume not in self._volumes.of(self._server)

    def append(self, line: str) -> None:
        """Write a line to the volume's ledger, down to the device."""
        self._site.run(self._server, "sh", "-c", f"echo {line} >>{LEDGER}; sync")

    def ledger(self) -> list[str]:
        """Return the lines on the volume."""
        return self._site.run(self._server, "cat", LEDGER).split()

    def _is_mounted(self) -> bool:
        return f" {PLACE} ext4 " in self._site.run(self._server, "cat", "/proc/mounts")

    def _settled(self) -> str:
        """Wait for a status that lasts; as an operator, end one that a kill made last for ever."""
        deadline = time.monotonic() + PATIENCE
        while (status := self._volumes.status(self._volume)) not in ("available", "in-use"):
            if time.monotonic() > deadline:
                storage = self._site.admin.block_storage
                storage.reset_volume_status(self._volume, "in-use", "attached")
            time.sleep(PAUSE)
        return status

    def _ask(self, request: Callable[..., Any], *arguments: str, **values: str) -> None:
        # Refused while a service is away; the caller looks at what is, and tries again.
        try:
            request(self._server, *arguments, **values)
        except (HttpException, SDKException):
            time.sleep(PAUSE)


def _nothing() -> None:
    """Disturb nobody."""


def _killing(site: Site, victim: str, after: float) -> Callable[[], None]:
    """Return what kills a service after a while and waits until the supervisor has it back."""

    def kill() -> None:
        time.sleep(after)
        dead = site.pid(victim)
        os.kill(dead, signal.SIGKILL)
        until(lambda: site.pid(victim) not in (0, dead), f"the supervisor to start {victim}")
        site.start(victim)

    return kill


@pytest.mark.timeout(60 + PATIENCE * ROUNDS)
def test_no_synchronised_byte_is_lost_and_nothing_is_held(
    site: Site, server: str, volumes: Volumes
) -> None:
    """A volume that comes and goes under kills has every line that was synchronised."""
    chance = random.Random(SEED)  # noqa: S311 - a walk that can be repeated is wanted
    volume, written = volumes.make(docker_mount_point=PLACE), list[str]()
    subject = Subject(site, server, volumes, volume)
    for number in range(ROUNDS):
        disturbs = [_nothing, _nothing]
        if number % 2:
            victim = chance.choice(VICTIMS)
            disturbs[chance.randrange(2)] = _killing(site, victim, chance.uniform(0, _LATEST))
        subject.attach(disturbs[0])
        if written:
            assert subject.ledger() == written
        subject.append(str(number))
        written.append(str(number))
        subject.detach(disturbs[1])
