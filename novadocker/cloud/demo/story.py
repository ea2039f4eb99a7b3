# SPDX-License-Identifier: Apache-2.0
"""Demonstration with the sample images: a tenant's commands and proofs of their effect."""

from contextlib import ExitStack
from pathlib import Path

from novadocker.cloud.demo import limits
from novadocker.cloud.demo.errors import ProofFailed
from novadocker.cloud.demo.screen import Screen
from novadocker.cloud.demo.shell import Shell
from novadocker.cloud.demo.tenant import Tenant, listening, wait_for

_FLAVORS = {"web": "c1.nano", "debian": "c1.small"}
_HTTP, _SSH = 80, 22
_UNVERIFIED = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
_CONSOLE_LINES = 6


class Story:
    """Story of two servers, from images to nothing left.

    Args:
        web: the small image's archive.
        debian: the large image's archive.
        shell: runs what is shown.
        screen: shows it.
        tenant: waits and looks.
    """

    def __init__(
        self, web: Path, debian: Path, shell: Shell, screen: Screen, tenant: Tenant
    ) -> None:
        self._archives = {"web": web, "debian": debian}
        self._shell = shell
        self._screen = screen
        self._tenant = tenant
        self._web, self._debian = (tenant.free_name(name) for name in ("web", "debian"))
        self._addresses: dict[str, str] = {}

    def tell(self, *, keep: bool) -> None:
        """Tell and prove the whole story.

        Args:
            keep: leave servers and images.
        """
        self._shell.introduce()
        with ExitStack() as undo:
            for name in (self._web, self._debian):
                undo.callback(self._tenant.tidy, name, name, self._screen.note)
            self._upload()
            self._boot()
            self._give_addresses()
            self._open_page()
            self._log_in()
            self._read_console()
            self._list_servers()
            self._check_limits()
            if not keep:
                self._delete()
            undo.pop_all()

    def _upload(self) -> None:
        with self._screen.step("Saved images go to Glance"):
            for name, kind in ((self._web, "web"), (self._debian, "debian")):
                self._shell.run(
                    "openstack",
                    "image",
                    "create",
                    "--container-format",
                    "docker",
                    "--disk-format",
                    "raw",
                    "--file",
                    str(self._archives[kind]),
                    name,
                )
            self._shell.show("openstack", "image", "list", "-c", "Name", "-c", "Status")

    def _boot(self) -> None:
        with self._screen.step("Servers boot from them, on a Neutron network"):
            for name, kind in ((self._debian, "debian"), (self._web, "web")):
                self._shell.run(
                    "openstack",
                    "server",
                    "create",
                    "--image",
                    name,
                    "--flavor",
                    _FLAVORS[kind],
                    "--network",
                    "private",
                    "--security-group",
                    "web",
                    "--key-name",
                    "demo",
                    name,
                )
            for name in (self._web, self._debian):
                server = self._tenant.wait_until_built(name)
                self._screen.show(f"{name} is {server.status}")

    def _give_addresses(self) -> None:
        with self._screen.step("Floating addresses make them reachable"):
            for name in (self._web, self._debian):
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
                self._shell.run("openstack", "server", "add", "floating", "ip", name, address)
                self._addresses[name] = address

    def _open_page(self) -> None:
        address = self._addresses[self._web]
        with self._screen.step("The web server's page, over its floating address"):
            wait_for(lambda: listening(address, _HTTP), f"{address} to serve HTTP")
            page = self._shell.show("curl", "--silent", "--fail", f"http://{address}/")
            if f"Hello from {self._web}" not in page:
                raise ProofFailed(reason=f"the page does not name the server {self._web}: {page}")

    def _log_in(self) -> None:
        address = self._addresses[self._debian]
        key = str(self._shell.layout.demo_key)
        with self._screen.step("SSH into Debian, with the key pair that Nova put there"):
            wait_for(lambda: listening(address, _SSH), f"{address} to serve SSH")
            answer = self._shell.show(
                "ssh",
                "-i",
                key,
                *_UNVERIFIED,
                f"root@{address}",
                "hostname && cat /etc/debian_version && ip -brief -4 address",
            )
            if answer.splitlines()[0] != self._debian:
                raise ProofFailed(reason=f"{address} is not the server {self._debian}: {answer}")

    def _read_console(self) -> None:
        with self._screen.step("The console log is what the server's process writes"):
            log = self._shell.show(
                "openstack",
                "console",
                "log",
                "show",
                "--lines",
                str(_CONSOLE_LINES),
                self._web,
            )
            if "GET /" not in log and "serves HTTP" not in log:
                raise ProofFailed(reason=f"the log has nothing of the web server: {log}")

    def _list_servers(self) -> None:
        with self._screen.step("Nova lists them"):
            self._shell.show(
                "openstack",
                "server",
                "list",
                "-c",
                "Name",
                "-c",
                "Status",
                "-c",
                "Networks",
                "-c",
                "Flavor",
            )
            for name in (self._web, self._debian):
                if (status := self._tenant.server(name).status) != "ACTIVE":
                    raise ProofFailed(reason=f"server {name} is {status}, not ACTIVE")

    def _check_limits(self) -> None:
        with self._screen.step("The flavors' limits hold, as the kernel's cgroups tell"):
            for name in (self._web, self._debian):
                server = self._tenant.server(name)
                found = limits.of_server(self._shell.layout.hosts[0], server.id)
                self._screen.show(
                    f"{name}: {found.memory_mib} MiB of memory, {found.processors:g} processors, "
                    f"{found.processes} processes"
                )
                asked = (server.flavor.ram, server.flavor.vcpus)
                if (found.memory_mib, found.processors) != asked:
                    raise ProofFailed(reason=f"the flavor says {asked[0]} MiB, {asked[1]} VCPUs")

    def _delete(self) -> None:
        with self._screen.step("Deleted, they leave nothing behind"):
            subjects = [self._tenant.subject(name) for name in (self._web, self._debian)]
            self._shell.run("openstack", "server", "delete", self._web, self._debian)
            self._shell.run("openstack", "floating", "ip", "delete", *self._addresses.values())
            self._shell.run("openstack", "image", "delete", self._web, self._debian)
            self._tenant.prove_gone(subjects)
            self._screen.show(
                "no container, port, floating address, link, switch port, allocation or file"
            )
