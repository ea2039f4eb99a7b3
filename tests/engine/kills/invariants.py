# SPDX-License-Identifier: Apache-2.0
"""Invariants of a server and of the host, after a death of nova-compute at any point."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novadocker.gate.start_gate import process_is_at_gate
from novadocker.virt.docker.actions import recreate, snapshot
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.engine import Container, State
from novadocker.virt.docker.images.fetch import LOADING
from tests.engine.kills.compute_service import ComputeService
from tests.engine.wiring.stand_in import run
from tests.support.eventually import eventually

PASSING = (LOADING, recreate.NAMESPACE, snapshot.NAMESPACE)


@dataclass(frozen=True)
class Host:
    """Host of one server.

    Args:
        service: nova-compute on it.
        root: directory of its files.
    """

    service: ComputeService
    root: Path

    def faults_of_server(self, *, alive: bool | None, stand_in: bool, keeps: bool) -> list[str]:
        """List the faults of a server after the end of the last action."""
        found = self._serving(stand_in)
        if alive is None:
            return [f"{found.name} is still there"] if found else []
        if found is None:
            return ["there is no container"]
        faults = [] if found.alive is alive else [f"{found.name} is {found.state}"]
        if keeps and not self._keeps_file(found, stand_in):
            faults.append("its file is lost")
        return faults + self.faults_of_start()

    def faults_of_start(self) -> list[str]:
        """List the faults of a server after the start of nova-compute: whole, or not running."""
        found = self._serving(stand_in=True) or self._serving(stand_in=False)
        if found is None or not found.alive:
            return []
        faults = ["it is paused"] if found.state is State.PAUSED else []
        # A process that was let go is the gate's program for a moment more.
        if not eventually(lambda: not process_is_at_gate(found.pid)):
            faults.append("it is at its gate")
        record = self.service.record
        # By the kernel, not by the engine, which knows nothing of our interfaces.
        wanted = {"lo", *(f"eth{number}" for number in range(record.ports))}
        has = {
            link["ifname"]
            for link in json.loads(
                run("nsenter", f"--net=/proc/{found.pid}/ns/net", "ip", "-j", "a")
            )
        }
        if has != wanted:
            faults.append(f"it has {sorted(has)} and not {sorted(wanted)}")
        return faults

    def leaks(self, images: list[str]) -> list[str]:
        """List the remains of a removed server on the host.

        Args:
            images: ids of the images that may be there.
        """
        engine, uuid = self.service.engine, self.service.record.uuid
        links = [link["ifname"] for link in json.loads(run("ip", "-j", "link"))]
        volumes = engine._api.volumes()["Volumes"] or []
        tags = [tag for prefix in PASSING for tag in engine.image_tags(prefix)]
        left = engine.image_ids() - set(images)
        files = sorted(str(each.relative_to(self.root)) for each in self.root.glob("instances/*"))
        return [
            *(f"container {name}" for name in engine.labels_by_name(f"novadocker.instance={uuid}")),
            *(f"link {name}" for name in links if name != "lo"),
            *(f"volume {each['Name']}" for each in volumes),
            *(f"name of an image {tag}" for tag in tags),
            *(f"image {each}" for each in left if not self._is_own(each)),
            *(f"file {name}" for name in files),
        ]

    def clear(self) -> None:
        """Take all of a server away, behind the driver's back."""
        engine, uuid = self.service.engine, self.service.record.uuid
        # Containers first: an image in use stays.
        for name in engine.labels_by_name(f"novadocker.instance={uuid}"):
            engine.remove(name)
        for tag in (tag for prefix in PASSING for tag in engine.image_tags(prefix)):
            engine.remove_image(tag)
        # A remnant of one kill is not counted for the next.
        for image in engine.image_ids():
            if not self._is_own(image):
                engine.remove_image(image)
        for link in json.loads(run("ip", "-j", "link")):
            if link["ifname"] != "lo":
                run("ip", "link", "delete", link["ifname"])
        for path in self.root.glob("instances/*"):
            shutil.rmtree(path)

    def forget_image(self) -> None:
        """Take the server's image out of the engine: the next boot loads the image."""
        for tag in self.service.engine.image_tags("nova/"):
            self.service.engine.remove_image(tag)

    def _is_own(self, image: str) -> bool:
        found = self.service.engine.find_image(image)
        return bool(found and any(tag.startswith("nova/") for tag in found.tags))

    def _serving(self, stand_in: bool) -> Container | None:
        name = container_name(self.service.record.uuid, rescue=stand_in)
        return self.service.engine.find(name)

    def _keeps_file(self, container: Container, stand_in: bool) -> bool:
        if not container.alive:  # its root is mounted nowhere
            return any(self._read(container))
        path = "/rescue/file" if stand_in else "/file"
        return b"kept" in (Path(f"/proc/{container.pid}/root{path}")).read_bytes()

    def _read(self, container: Container) -> Any:
        return self.service.engine.get_file(container.name, "/file")
