# SPDX-License-Identifier: Apache-2.0
"""The demonstration with an image of one's own."""

import time
from contextlib import ExitStack
from pathlib import Path

from novadocker.cloud.demo import container
from novadocker.cloud.demo.errors import ProofFailed
from novadocker.cloud.demo.screen import Screen
from novadocker.cloud.demo.shell import Shell
from novadocker.cloud.demo.tenant import Tenant

_FLAVOR = "c1.medium"
_SETTLING = 3


class OwnImage:
    """Server of a user's own saved image.

    Args:
        archive: file written by ``docker save``.
        command: words to run in the server; None for the image's own.
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
        """Boot, check and show the server.

        Args:
            keep: leave server and image.
        """
        self._shell.introduce()
        with ExitStack() as undo:
            undo.callback(self._tenant.tidy, self._name, self._name, self._screen.note)
            self._upload()
            runs = self._boot()
            if runs:
                self._give_address()
            self._read_console()
            self._tell_state(ended_before=not runs)
            if keep:
                undo.pop_all()

    def _upload(self) -> None:
        words = ("--property", f"os_command_line={self._command}") if self._command else ()
        with self._screen.step("The image goes to Glance"):
            self._shell.run(
                "openstack",
                "image",
                "create",
                "--container-format",
                "docker",
                "--disk-format",
                "raw",
                *words,
                "--file",
                str(self._archive),
                self._name,
            )

    def _boot(self) -> bool:
        with self._screen.step("A server boots from it"):
            self._shell.run(
                "openstack",
                "server",
                "create",
                "--image",
                self._name,
                "--flavor",
                _FLAVOR,
                "--network",
                "private",
                "--security-group",
                "web",
                "--key-name",
                "demo",
                self._name,
            )
            self._tenant.wait_until_built(self._name)
            # A process that ends at once gets the time to do so.
            time.sleep(_SETTLING)
            status = self._tenant.server(self._name).status
            self._screen.show(f"{self._name} is {status}")
            return bool(status == "ACTIVE")

    def _give_address(self) -> None:
        with self._screen.step("A floating address makes it reachable"):
            address = self._shell.show(
                "openstack",
                "floating",
                "ip",
                "create",
                "public",
                "-f",
                "value",
                "-c",
                "floating_ip_address",
            )
            self._shell.run("openstack", "server", "add", "floating", "ip", self._name, address)
            self._shell.show("ping", "-c", "1", "-W", "5", address)

    def _read_console(self) -> None:
        with self._screen.step("Its console log"):
            self._shell.show("openstack", "console", "log", "show", self._name)

    def _tell_state(self, *, ended_before: bool) -> None:
        with self._screen.step("Its state"):
            self._shell.show(
                "openstack",
                "server",
                "list",
                "--name",
                f"^{self._name}$",
                "-c",
                "Name",
                "-c",
                "Status",
                "-c",
                "Networks",
                "-c",
                "Flavor",
            )
            server = self._tenant.server(self._name)
            state = container.state(self._shell.layout.hosts[0], server.id)
            if state["ExitCode"] or state["Running"] == ended_before:
                raise ProofFailed(
                    reason=f"the server's process ended with exit code {state['ExitCode']}"
                )


def _host_name(archive: Path) -> str:
    stem = archive.stem.lower()
    letters = (letter if letter.isascii() and letter.isalnum() else "-" for letter in stem)
    return "".join(letters).strip("-") or "own"
