# SPDX-License-Identifier: Apache-2.0
"""The demonstration with an image of one's own."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from novadocker.cloud.demo.errors import ProofFailed
from novadocker.cloud.demo.screen import Screen
from novadocker.cloud.demo.shell import Shell
from novadocker.cloud.demo.tenant import Tenant

_FLAVOR = "c1.medium"


class OwnImage:
    """One server of one saved image.

    Args:
        archive: what ``docker save`` wrote.
        command: what the server runs; None is what the image says.
        shell: runs what is shown.
        screen: shows it.
        tenant: waits and looks.
    """

    def __init__(
        self, archive: Path, command: str | None, shell: Shell, screen: Screen, tenant: Tenant
    ) -> None:
        self._archive = archive
        self._command = command
        self._shell = shell
        self._screen = screen
        self._tenant = tenant
        self._name = tenant.free_name(_host_name(archive))

    def tell(self, *, keep: bool) -> None:
        """Do and show all of it.

        Args:
            keep: whether server and image stay.
        """
        self._shell.introduce()
        with ExitStack() as undo:
            undo.callback(self._tenant.tidy, self._name, self._name, self._screen.note)
            self._upload()
            server = self._boot()
            if server.status == "ACTIVE":
                self._give_address()
            self._read_console()
            self._tell_state(server)
            if keep:
                undo.pop_all()

    def _upload(self) -> None:
        words = ("--property", f"os_command_line={self._command}") if self._command else ()
        with self._screen.step("The image goes to Glance"):
            self._shell.run(
                *("openstack", "image", "create", "--container-format", "docker"),
                *("--disk-format", "raw", *words, "--file", str(self._archive), self._name),
            )

    def _boot(self) -> Any:
        with self._screen.step("A server boots from it"):
            self._shell.run(
                *("openstack", "server", "create", "--image", self._name, "--flavor", _FLAVOR),
                *("--network", "private", "--security-group", "web", "--key-name", "demo"),
                self._name,
            )
            server = self._tenant.wait_until_built(self._name)
            self._screen.show(f"{self._name} is {server.status}")
            return server

    def _give_address(self) -> None:
        with self._screen.step("A floating address makes it reachable"):
            address = self._shell.show(
                *("openstack", "floating", "ip", "create", "public"),
                *("-f", "value", "-c", "floating_ip_address"),
            )
            self._shell.run("openstack", "server", "add", "floating", "ip", self._name, address)
            self._shell.show("ping", "-c", "1", "-W", "5", address)

    def _read_console(self) -> None:
        with self._screen.step("Its console log"):
            self._shell.show("openstack", "console", "log", "show", self._name)

    def _tell_state(self, booted: Any) -> None:
        with self._screen.step("Its state"):
            columns = ("name", "status", "addresses", "flavor")
            options = (word for column in columns for word in ("-c", column))
            self._shell.show("openstack", "server", "show", *options, self._name)
            status = self._tenant.server(self._name).status
            if status != booted.status:
                raise ProofFailed(reason=f"it was {booted.status} and is {status} now")


def _host_name(archive: Path) -> str:
    letters = (letter if letter.isalnum() else "-" for letter in archive.stem.lower())
    return "".join(letters).strip("-") or "own"
