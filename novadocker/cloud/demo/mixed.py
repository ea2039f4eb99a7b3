# SPDX-License-Identifier: Apache-2.0
"""Demonstration of a hybrid host: a virtual machine and a container in one stack and network."""

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from novadocker.cloud.demo import container, serial_line
from novadocker.cloud.demo.errors import ProofFailed
from novadocker.cloud.demo.screen import Screen
from novadocker.cloud.demo.shell import Shell
from novadocker.cloud.demo.tenant import Tenant, listening, wait_for

_HTTP = 80
_GET = r"printf 'GET / HTTP/1.0\r\n\r\n' | nc {address} 80"
# QEMU interprets here: a kernel takes its time.
_PATIENCE = 240
_TEMPLATE = Path(__file__).parents[3] / "examples/heat/hybrid.yaml"


class Mixed:
    """Story of one stack with a server of each kind, from images to nothing left.

    Args:
        web: archive of a saved container that serves HTTP.
        disk: disk of a machine that serves HTTP.
        shell: runs what is shown.
        screen: shows it.
        tenant: waits and looks.
    """

    def __init__(self, web: Path, disk: Path, shell: Shell, screen: Screen, tenant: Tenant) -> None:
        self._archives = {"container": web, "machine": disk}
        self._shell = shell
        self._screen = screen
        self._tenant = tenant
        self._images = {kind: tenant.free_name(f"a-{kind}") for kind in self._archives}
        self._stack = tenant.free_name("mixed")
        self._outputs: dict[str, str] = {}

    def tell(self, *, keep: bool) -> None:
        """Tell and prove the whole story.

        Args:
            keep: leave stack and images.
        """
        self._shell.introduce()
        with ExitStack() as undo:
            for image in self._images.values():
                undo.callback(self._tenant.tidy, image, image, self._screen.note)
            self._upload()
            undo.callback(self._shell.run, "openstack", "stack", "delete", *self._deletion())
            self._make_stack()
            self._open_pages()
            self._meet()
            self._list_servers()
            if keep:
                undo.pop_all()
                return
            subjects = [self._tenant.subject_of(self._outputs[kind]) for kind in self._archives]
            with self._screen.step("Deleted, they leave nothing behind on either engine"):
                undo.close()
                self._tenant.prove_gone(subjects)

    def _deletion(self) -> tuple[str, ...]:
        return ("--yes", "--wait", self._stack)

    def _upload(self) -> None:
        formats = {"container": ("docker", "raw"), "machine": ("bare", "qcow2")}
        with self._screen.step("A saved container and a machine's disk go to Glance"):
            for kind, (container_format, disk_format) in formats.items():
                self._shell.run(
                    "openstack",
                    "image",
                    "create",
                    "--container-format",
                    container_format,
                    "--disk-format",
                    disk_format,
                    "--file",
                    str(self._archives[kind]),
                    self._images[kind],
                )

    def _make_stack(self) -> None:
        with self._screen.step("One stack makes a server of each kind, on one network"):
            parameters = [
                word
                for kind, image in self._images.items()
                for word in ("--parameter", f"{kind}_image={image}")
            ]
            self._shell.run(
                *("openstack", "stack", "create", "--wait", "-t", str(_TEMPLATE)),
                *parameters,
                self._stack,
            )
            shown = self._shell.run(
                *("openstack", "stack", "output", "show", "--all", "-f", "json", self._stack)
            )
            self._outputs = {name: str(_output(each)) for name, each in json.loads(shown).items()}

    def _open_pages(self) -> None:
        for kind in self._archives:
            address = self._outputs[f"{kind}_address"]
            with self._screen.step(f"The {kind}'s page, over its floating address"):
                what = f"{address} to serve HTTP"
                wait_for(partial(listening, address, _HTTP), what, _PATIENCE)
                page = self._shell.show("curl", "--silent", "--fail", f"http://{address}/")
                if "Hello from" not in page:
                    raise ProofFailed(reason=f"the page of the {kind} is {page!r}")

    def _meet(self) -> None:
        host = self._shell.layout.hosts[0]
        with self._screen.step("The container opens the machine's page"):
            url = f"http://{self._outputs['machine_fixed']}/"
            words = ("wget", "-q", "-O", "-", url)
            self._screen.command(words)
            self._prove_page(container.run(host, self._outputs["container"], *words), "machine")
        with self._screen.step("The machine opens the container's page, by a line of its console"):
            command = _GET.format(address=self._outputs["container_fixed"])
            self._screen.show(f"# {command}")
            self._prove_page(serial_line.ask(host, self._outputs["machine"], command), "container")

    def _prove_page(self, page: str, kind: str) -> None:
        self._screen.show(page)
        if "Hello from" not in page:
            raise ProofFailed(reason=f"the {kind} is not reached from the other server: {page!r}")

    def _list_servers(self) -> None:
        with self._screen.step("Nova lists both, on one host"):
            self._shell.show("openstack", "server", "list", "-c", "Name", "-c", "Status")
            hosts = {self._tenant.host_of(self._outputs[kind]) for kind in self._archives}
            if len(hosts) != 1:
                raise ProofFailed(reason=f"the servers are on hosts {sorted(hosts)}")
            self._screen.show(f"both run on {hosts.pop()}")


def _output(described: object) -> object:
    body = json.loads(described) if isinstance(described, str) else described
    return body["output_value"] if isinstance(body, dict) else body
